import { expect } from "vitest";
import { fileOrigin } from "../../src/domain/keys.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import type { Catalog } from "../../src/stores/catalog/catalog.port.js";
import { addSource, fileEntry, ingest, STATS, showing, shown, started } from "./catalog-fixtures.js";

const SOURCES = ["a", "b", "c"] as const;
const PATHS = ["p0", "p1", "p2", "p3", "p4"] as const;
const FAILURE = { code: "INTERNAL", message: "model" };

/** Path → version. */
type Files = Readonly<Record<string, number>>;

/** What one source is, told without seqs: its published files, and what its open ingestion would make of them. */
class SourceModel {
	published: Files = {};
	open: { readonly seq: number; aborted: boolean; readonly batches: Map<string, Files> } | undefined;
}

/**
 * Plays any list of numbers as begins, batches, publications, aborts and releases over three sources, and holds every snapshot ever
 * published against a full copy of what was published then.
 */
export async function runCatalogModel(catalog: Catalog, dice: readonly number[]): Promise<void> {
	const models = new Map<string, SourceModel>();
	for (const source of SOURCES) {
		await addSource(catalog, source);
		models.set(source, new SourceModel());
	}
	const taken: { readonly snapshot: Snapshot; readonly files: ReadonlyMap<string, Files> }[] = [];
	const take = (snapshot: Snapshot) =>
		taken.push({ snapshot, files: new Map([...models].map(([source, model]) => [source, model.published])) });

	let version = 0;
	for (const die of dice) {
		const source = SOURCES[die % SOURCES.length] as string;
		const model = models.get(source) as SourceModel;
		const bits = Math.floor(die / 64);
		version += 1;
		if (!model.open) {
			const { seq } = await started(catalog, source, `commit-${version}`);
			model.open = { seq, aborted: false, batches: new Map() };
			continue;
		}
		const { seq, batches } = model.open;
		if (model.open.aborted) {
			await catalog.release(seq, "parked");
			model.open = undefined;
			continue;
		}
		switch (Math.floor(die / 4) % 8) {
			case 0:
			case 1:
				model.published = staged(model);
				model.open = undefined;
				take((await catalog.publish(seq, STATS)).snapshot);
				break;
			case 2:
				await catalog.abort(seq, FAILURE);
				model.open.aborted = true;
				break;
			default: {
				const name = `batch-${bits % 3}`;
				batches.delete(name);
				const others = new Set([...batches.values()].flatMap((files) => Object.keys(files)));
				const files: Record<string, number> = {};
				for (const [index, path] of PATHS.entries()) {
					const choice = (bits >> (3 + 2 * index)) & 3;
					if (choice >= 2 && !others.has(path)) files[path] = choice === 2 ? version : 0;
				}
				batches.set(name, files);
				await catalog.recordBatch(seq, {
					batch: name,
					retired: Object.keys(files).map(fileOrigin),
					entries: Object.entries(files)
						.filter(([, v]) => v > 0)
						.map(([path, v]) => fileEntry(path, v)),
				});
			}
		}
		const any = taken[die % Math.max(1, taken.length)];
		if (any) await compare(catalog, any.snapshot, any.files);
	}
	for (const { snapshot, files } of taken) await compare(catalog, snapshot, files);

	// Whatever happened, a source can go on.
	for (const [source, model] of models) {
		if (!model.open) take((await ingest(catalog, source, "last", { p0: 0 })).snapshot);
	}
}

function staged({ published, open }: SourceModel): Files {
	const files = Object.assign({ ...published }, ...(open?.batches.values() ?? [])) as Record<string, number>;
	return Object.fromEntries(Object.entries(files).filter(([, version]) => version > 0));
}

async function compare(catalog: Catalog, snapshot: Snapshot, files: ReadonlyMap<string, Files>): Promise<void> {
	for (const [source, expected] of files) {
		expect(await shown(catalog, snapshot, source), `snapshot ${snapshot.number} of ${source}`).toEqual(
			showing(expected),
		);
		const head = await catalog.head(snapshot, source);
		if (head) expect((await catalog.heads(snapshot, [source])).get(source)).toEqual(head);
		if (head) expect(await catalog.tally(snapshot, source)).toEqual(head.totals);
		else expect(Object.keys(expected)).toEqual([]);
	}
}
