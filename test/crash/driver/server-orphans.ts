import { Client as S3 } from "minio";
import pg from "pg";
import { isMark } from "../../../src/stores/vectors/weaviate/mark-ids.js";
import type { Orphan } from "./orphans.js";
import type { ServerStores } from "./server-stores.js";

/** In an engine, "still current" is a number above every seq. */
const CURRENT = Number.MAX_SAFE_INTEGER;

type Found = readonly { readonly place: string; readonly seq: number }[];

async function ofPostgres({ env }: ServerStores): Promise<Found> {
	const url = new URL(env.LODE_POSTGRES_URL as string);
	url.password = env.LODE_POSTGRES_PASSWORD as string;
	const client = new pg.Client({ connectionString: url.toString() });
	await client.connect();
	try {
		const schema = `lode_${env.LODE_INSTALLATION}`;
		const columns = [
			["entry", "added_at"],
			["entry", "removed_at"],
			["batch", "seq"],
		] as const;
		const found: { place: string; seq: number }[] = [];
		for (const [table, column] of columns) {
			const { rows } = await client.query(
				`SELECT DISTINCT ${column} AS seq FROM ${schema}.${table} WHERE ${column} IS NOT NULL`,
			);
			found.push(...rows.map(({ seq }) => ({ place: `Postgres ${table}.${column}`, seq: Number(seq) })));
		}
		return found;
	} finally {
		await client.end();
	}
}

async function ofDgraph({ servers }: ServerStores): Promise<Found> {
	const response = await fetch(`${servers.dgraph.addresses.httpAddress}/query`, {
		method: "POST",
		headers: { "content-type": "application/dql" },
		body: "{ q(func: has(lode.added)) { added: lode.added removed: lode.removed ain: lode.ain rin: lode.rin } }",
	});
	const { data, errors } = (await response.json()) as {
		data?: { q: { added: number; removed: number; ain: string; rin?: string }[] };
		errors?: unknown;
	};
	if (data === undefined) throw new Error(`Dgraph: ${JSON.stringify(errors)}`);
	const seqOf = (index: string | undefined) => Number(index?.split("|").at(-1) ?? Number.NaN);
	return data.q.flatMap(({ added, removed, ain, rin }) => [
		{ place: "Dgraph lode.added", seq: added },
		{ place: "Dgraph lode.removed", seq: removed },
		{ place: "Dgraph lode.ain", seq: seqOf(ain) },
		...(rin === undefined ? [] : [{ place: "Dgraph lode.rin", seq: seqOf(rin) }]),
	]);
}

async function ofWeaviate({ env }: ServerStores): Promise<Found> {
	const ask = async <T>(path: string) => (await (await fetch(`${env.LODE_WEAVIATE_URL}/v1/${path}`)).json()) as T;
	const { classes } = await ask<{ classes: { class: string }[] }>("schema");
	const found: { place: string; seq: number }[] = [];
	for (const { class: name } of classes) {
		for (let after = ""; ; ) {
			const { objects } = await ask<{ objects: { id: string; properties: { addedAt: number; removedAt: number } }[] }>(
				`objects?class=${name}&limit=1000${after === "" ? "" : `&after=${after}`}`,
			);
			for (const { id, properties } of objects) {
				// Beside the chunks, of no seq.
				if (isMark(id)) continue;
				found.push(
					{ place: "Weaviate addedAt", seq: properties.addedAt },
					{ place: "Weaviate removedAt", seq: properties.removedAt },
				);
			}
			const last = objects.at(-1);
			if (last === undefined) break;
			after = last.id;
		}
	}
	return found;
}

async function ofS3({ env }: ServerStores): Promise<Found> {
	const { hostname, port } = new URL(env.LODE_S3_ENDPOINT as string);
	const client = new S3({
		endPoint: hostname,
		port: Number(port),
		useSSL: false,
		accessKey: env.LODE_S3_ACCESS_KEY_ID as string,
		secretKey: env.LODE_S3_SECRET_ACCESS_KEY as string,
	});
	const found: { place: string; seq: number }[] = [];
	const below = `${env.LODE_INSTALLATION}/`;
	for (const { name: bucket } of await client.listBuckets()) {
		for await (const item of client.listObjectsV2(bucket, below, true)) {
			const [top, ...rest] = String(item.name).slice(below.length).split("/");
			const last = Number(rest.at(-1));
			if (top === "heads") found.push({ place: "S3 heads/", seq: Number.MAX_SAFE_INTEGER - last });
			// A discarded one's is a tombstone, which says so and is as long as that.
			if (top === "roots" && item.size > 30) found.push({ place: "S3 roots/", seq: last });
			if (top === "derived" && rest[0] === "ingestions")
				found.push({ place: "S3 derived/ingestions/", seq: Number(rest[1]) });
		}
	}
	return found;
}

/** Every record of every store, read past Lode's adapters. */
export async function serverOrphans(stores: ServerStores, published: ReadonlySet<number>): Promise<Orphan[]> {
	const found = (await Promise.all([ofPostgres(stores), ofDgraph(stores), ofWeaviate(stores), ofS3(stores)])).flat();
	const orphans = new Map<string, Orphan>();
	for (const { place, seq } of found)
		if (seq !== CURRENT && !published.has(seq)) orphans.set(`${place} ${seq}`, { place, seq });
	return [...orphans.values()];
}
