import { canonicalJson, sha256 } from "../../../domain/digest.js";
import { errorCode, LodeError } from "../../../domain/errors.js";
import { isCommitted, type Seq, type Snapshot } from "../../../domain/snapshot.js";
import type { StoreProblem } from "../../versioned.port.js";
import type { ManifestRoot } from "../artifacts.port.js";
import { type ReadObject, readObject } from "./read-object.js";
import type { S3Client } from "./s3-client.js";
import { closedSeq, isClosed, S3ClosedSeqs } from "./s3-closed-seqs.js";
import { isRefused } from "./s3-errors.js";
import { listObjects, removeBelow } from "./s3-listing.js";

/** One object a seq: its root, or that it was discarded. */
const ROOTS = "roots/";
/** Empty objects: which seqs a source has, the newest first. */
const HEADS = "heads/";
/** Empty objects: which seqs were discarded one by one. */
const DISCARDED = "discarded/";
const DIGITS = 16;
const HIGHEST = Number.MAX_SAFE_INTEGER;

interface StoredRoot extends ManifestRoot {
	readonly checksum: string;
}

const padded = (value: number): string => String(value).padStart(DIGITS, "0");
const rootName = (seq: Seq): string => `${ROOTS}${padded(seq)}`;
const headsOf = (source: string): string => `${HEADS}${encodeURIComponent(source)}/`;
const headName = (source: string, seq: Seq): string => `${headsOf(source)}${padded(HIGHEST - seq)}`;
const lastNumber = (name: string): number => Number(name.slice(name.lastIndexOf("/") + 1));

/**
 * The roots of manifests. Writes are conditional: discard puts a tombstone where the root is, and no write ever replaces one. Seqs closed
 * by collection are looked up before a write and once more after it, so that a write which overlaps with the closing either is found
 * by the collection, which lists after it closed, or finds itself closed and takes itself back.
 */
export class S3Roots {
	readonly #closed: S3ClosedSeqs;

	constructor(private readonly client: S3Client) {
		this.#closed = new S3ClosedSeqs(client);
	}

	async stage(seq: Seq, root: ManifestRoot): Promise<void> {
		await this.#closed.assertOpen(seq);
		await this.#write(headName(root.source, seq), "");
		const text = canonicalJson({ ...root, checksum: checksum(seq, root) });
		for (;;) {
			const there = await readObject(this.client, rootName(seq), `the root of seq ${seq}`);
			if (there !== undefined && isTombstone(there)) throw closedSeq(seq);
			if (there?.bytes.toString("utf8") === text) break;
			if (await this.#write(rootName(seq), text, there?.etag ?? null)) break;
		}
		if (!isClosed(await this.#closed.read(), seq)) return;
		await this.#remove(root.source, seq);
		throw closedSeq(seq);
	}

	staged(seq: Seq): Promise<ManifestRoot | undefined> {
		return this.#root(seq);
	}

	/** Ingestions of one source follow each other, so the last one that a snapshot has is the one with the highest seq. */
	async at(snapshot: Snapshot, source: string): Promise<ManifestRoot | undefined> {
		for await (const seq of this.#seqs(source, snapshot.seq)) {
			const root = isCommitted(snapshot, seq) ? await this.#root(seq) : undefined;
			if (root !== undefined) return root;
		}
		return undefined;
	}

	async all(): Promise<{ seq: Seq; root: ManifestRoot }[]> {
		const seqs: Seq[] = [];
		for await (const { name } of listObjects(this.client, ROOTS)) seqs.push(lastNumber(name));
		const roots = await Promise.all(seqs.map(async (seq) => ({ seq, root: await this.#root(seq) })));
		return roots.filter((one): one is { seq: Seq; root: ManifestRoot } => one.root !== undefined);
	}

	/** A head without a root counts too: the source would find another one's root under its seq. */
	async highestSeq(): Promise<Seq> {
		let highest = (await this.#closed.read()).upTo;
		for await (const { name } of listObjects(this.client, HEADS))
			highest = Math.max(highest, HIGHEST - lastNumber(name));
		for (const prefix of [ROOTS, DISCARDED])
			for await (const { name } of listObjects(this.client, prefix)) highest = Math.max(highest, lastNumber(name));
		return highest;
	}

	async discard(seq: Seq): Promise<void> {
		await this.#write(`${DISCARDED}${padded(seq)}`, "");
		for (;;) {
			const there = await readObject(this.client, rootName(seq), `the root of seq ${seq}`);
			if (there !== undefined && isTombstone(there)) return;
			// With a condition too: of two versions the later one counts, and an unconditional write may get its time before its turn.
			if (!(await this.#write(rootName(seq), TOMBSTONE, there?.etag ?? null))) continue;
			const source = there && parse(there)?.source;
			if (source !== undefined) await removeBelow(this.client, headName(source, seq));
			return;
		}
	}

	async collect(source: string, horizon: Snapshot, open: readonly Seq[]): Promise<number> {
		// Closed before anything is listed: see above.
		const mark = await this.#closed.closeUpTo(horizon.seq, open);
		let kept = false;
		let removed = 0;
		for await (const seq of this.#seqs(source, horizon.seq)) {
			if (!isCommitted(horizon, seq)) continue;
			if (!kept) {
				kept = (await this.#root(seq)) !== undefined;
				continue;
			}
			if ((await this.#root(seq)) !== undefined) removed += 1;
			await this.#remove(source, seq);
		}
		// The mark refuses them now.
		for await (const { name } of listObjects(this.client, DISCARDED)) {
			const seq = lastNumber(name);
			if (!isClosed(mark, seq)) continue;
			await removeBelow(this.client, rootName(seq));
			await removeBelow(this.client, name);
		}
		return removed;
	}

	async drop(source: string): Promise<void> {
		for await (const seq of this.#seqs(source, HIGHEST)) await this.#remove(source, seq);
	}

	/** Damage is an answer, not an error: one damaged root does not hide the others. */
	async check(): Promise<StoreProblem[]> {
		const problems: StoreProblem[] = [];
		try {
			await this.#closed.read();
		} catch (error) {
			if (errorCode(error) !== "STORE_CORRUPT") throw error;
			problems.push({ record: "closed-below.json", problem: "cannot be read" });
		}
		const heads = new Set<string>();
		for await (const { name } of listObjects(this.client, HEADS)) heads.add(name);
		const seqs: Seq[] = [];
		for await (const { name } of listObjects(this.client, ROOTS)) seqs.push(lastNumber(name));
		await Promise.all(
			seqs.map(async (seq) => {
				const there = await readObject(this.client, rootName(seq), `the root of seq ${seq}`);
				if (there === undefined || isTombstone(there)) return;
				const stored = parse(there);
				const record = `root at seq ${seq}`;
				if (!stored || checksum(seq, stored) !== stored.checksum) {
					problems.push({ source: stored?.source, record, problem: "is not the one that was staged" });
				} else if (!heads.delete(headName(stored.source, seq))) {
					problems.push({ source: stored.source, record, problem: "is not found by its source" });
				}
			}),
		);
		return problems;
	}

	/** Seqs of a source up to one, the newest first. */
	async *#seqs(source: string, upTo: Seq): AsyncGenerator<Seq> {
		const prefix = headsOf(source);
		const first = HIGHEST - upTo;
		const after = first === 0 ? "" : `${prefix}${padded(first - 1)}`;
		for await (const { name } of listObjects(this.client, prefix, after)) yield HIGHEST - lastNumber(name);
	}

	async #root(seq: Seq): Promise<ManifestRoot | undefined> {
		const there = await readObject(this.client, rootName(seq), `the root of seq ${seq}`);
		if (there === undefined || isTombstone(there)) return undefined;
		const stored = parse(there);
		if (stored && checksum(seq, stored) === stored.checksum) {
			const { source, commit, object } = stored;
			return { source, commit, object };
		}
		throw new LodeError(
			"STORE_CORRUPT",
			`The manifest root of ${stored?.source ?? "a source"} at seq ${seq} is not the one that was staged`,
			{ next: "Ingest the source again, or restore the archive from a backup." },
		);
	}

	async #remove(source: string, seq: Seq): Promise<void> {
		await removeBelow(this.client, rootName(seq));
		await removeBelow(this.client, headName(source, seq));
	}

	/** `etag`: only over this version; null: only where nothing is. False where that does not hold. */
	async #write(name: string, text: string, etag?: string | null): Promise<boolean> {
		const body = Buffer.from(text);
		const condition: Record<string, string> =
			etag === undefined ? {} : etag === null ? { "if-none-match": "*" } : { "if-match": `"${etag}"` };
		try {
			await this.client.request(
				"store",
				name,
				(minio) =>
					minio.putObject(this.client.bucket, this.client.key(name), body, body.length, {
						"content-type": "application/json",
						"x-amz-meta-lode-kind": "root",
						...condition,
					}),
				isRefused,
			);
			return true;
		} catch (error) {
			if (isRefused(error)) return false;
			throw error;
		}
	}
}

const TOMBSTONE = canonicalJson({ discarded: true });

const isTombstone = ({ bytes }: ReadObject): boolean => bytes.toString("utf8") === TOMBSTONE;

function parse({ bytes }: ReadObject): StoredRoot | undefined {
	try {
		const { source, commit, object, checksum } = JSON.parse(bytes.toString("utf8")) as Partial<StoredRoot>;
		if (source === undefined || commit === undefined || object === undefined || checksum === undefined)
			return undefined;
		return { source, commit, object, checksum };
	} catch {
		return undefined;
	}
}

const checksum = (seq: Seq, { source, commit, object }: ManifestRoot): string =>
	sha256(canonicalJson([seq, source, commit, object]));
