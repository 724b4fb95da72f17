import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { seededNumbers, seededVectors } from "../../../../../test/support/seeded-vectors.js";
import { fileOrigin } from "../../../../domain/keys.js";
import { type ChunkRecord, COMMIT_KIND, NO_MODEL } from "../../../../domain/mined-file.js";
import type { Snapshot } from "../../../../domain/snapshot.js";
import { openDatabase } from "../../../sqlite/sqlite-database.js";
import type { ChunkHit, SearchFilter } from "../../vectors.port.js";
import { MIGRATIONS } from "../schema.js";
import { createSqliteVectorStore } from "../sqlite-vectors.adapter.js";
import { MemoryIndex } from "./memory-index.js";

const DIMENSIONS = 136;
const MODELS = ["test/a", "test/b"];
const WORDS = Array.from({ length: 40 }, (_, n) => `word${String.fromCharCode(97 + (n % 26))}${n}`);
const SOURCES = ["s1", "s2", "s3"];

let folder: string;
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

/** Real: three connections to one file. One writes a random history, one searches by its index in memory, one by scans; after each step they must agree. */
it.each([1, 2, 3])("answers as the scan does, whatever another process did before (history %i)", async (seed) => {
	folder = mkdtempSync(join(tmpdir(), "lode-memory-index-"));
	const path = join(folder, "vectors.db");
	const writer = createSqliteVectorStore({ path });
	const scanning = createSqliteVectorStore({ path });
	let indexed = createSqliteVectorStore({ path, memoryBytes: 2 ** 26 });
	await indexed.ready();
	const next = seededNumbers(seed);
	const vector = seededVectors(seed, DIMENSIONS, 10);
	const below = (limit: number) => Math.floor(next() * limit);
	const any = <T>(values: readonly T[]): T => values[below(values.length)] as T;
	// Some words stand nearly everywhere, others hardly anywhere.
	const words = (count: number) => Array.from({ length: count }, () => WORDS[Math.floor(40 ** next()) - 1]).join(" ");
	const chunk = (source: string, path: string, ordinal: number): ChunkRecord => ({
		...{ source, group: any(["default", "other"]), origin: fileOrigin(path), path, ordinal, startLine: 1, endLine: 2 },
		kind: any(["function", "text"]),
		...(next() < 0.5 && { language: any(["typescript", "sql"]) }),
		...(next() < 0.5 && { symbol: `${any(WORDS)}.run` }),
		model: any(MODELS),
		text: words(1 + below(60)),
		vector: vector(),
	});
	const said = (source: string, ordinal: number): ChunkRecord => ({
		...{ source, group: "default", origin: "commit:a", path: "", startLine: 1, endLine: 1 },
		...{ kind: COMMIT_KIND, model: NO_MODEL, text: words(5), vector: new Float32Array([1]), ordinal },
	});

	let seq = 0;
	const open = new Set<number>();
	const published: Snapshot[] = [{ number: 0, seq: 0, excluding: [], publishedAt: "" }];
	const publish = (each: number) => {
		open.delete(each);
		const last = Math.max(each, published.at(-1)?.seq ?? 0);
		const excluding = [...open].filter((other) => other < last).sort((a, b) => a - b);
		published.push({ number: published.length, seq: last, excluding, publishedAt: "" });
	};
	const steps: Record<string, () => Promise<unknown>> = {
		stage: async () => {
			const source = any(SOURCES);
			const each = open.size > 0 && next() < 0.5 ? any([...open]) : ++seq;
			open.add(each);
			const folder = any(["src", "docs"]);
			const records = Array.from({ length: 1 + below(30) }, (_, n) => chunk(source, `${folder}/${below(9)}.ts`, n));
			await writer.stage(each, [...records, said(source, below(1_000))]);
			await writer.retire(each, source, [fileOrigin(`src/${below(9)}.ts`), fileOrigin(`docs/${below(9)}.ts`)]);
		},
		publish: async () => open.size > 0 && publish(any([...open])),
		discard: async () => {
			if (open.size === 0) return;
			const each = any([...open]);
			open.delete(each);
			await writer.discard(each);
		},
		collect: async () => {
			const horizon = any(published);
			const from = published.indexOf(horizon);
			await writer.collect(any(SOURCES), horizon, [...open]);
			published.splice(0, from);
		},
		drop: async () => next() < 0.2 && writer.dropSource(any(SOURCES)),
		clear: async () => next() < 0.1 && writer.clear(),
		restart: async () => {
			await indexed.close();
			indexed = createSqliteVectorStore({ path, memoryBytes: 2 ** 26 });
			if (next() < 0.5) await indexed.ready();
		},
	};
	const order = ["stage", "stage", "stage", "publish", "publish", "discard", "collect", "drop", "clear", "restart"];
	let compared = 0;
	for (let step = 0; step < 150; step += 1) {
		await steps[any(order)]?.();
		if (next() < 0.3) continue;
		if (next() < 0.8) await indexed.ready();
		const filter: SearchFilter = {
			snapshot: any(published.slice(-4)),
			...(next() < 0.5 && { sources: SOURCES.slice(below(3)) }),
			...(next() < 0.2 && { group: any(["default", "nowhere"]) }),
			...(next() < 0.2 && { kinds: [any(["function", "text", COMMIT_KIND] as const)] }),
			...(next() < 0.2 && { languages: ["sql"] }),
			...(next() < 0.2 && { path: any(["src/**", "src/[1-4].ts", "nothing/*"]) }),
			...(next() < 0.2 && { model: any([...MODELS, "test/none"]) }),
			...(next() < 0.2 && { after: any(published) }),
			...(next() < 0.2 && { upTo: any(published) }),
		};
		const [text, limit, model, near] = [words(1 + below(4)), 1 + below(40), any(MODELS), vector()];
		const answers = async (store: typeof indexed) => ({
			text: shown(await store.searchText(text, filter, limit)),
			vector: shown(await store.searchVector(model, near, filter, limit)),
			models: await store.models(filter),
			count: await store.count(filter),
		});
		const [found, expected] = [await answers(indexed), await answers(scanning)];
		expect(found, JSON.stringify({ step, text, limit, model, filter })).toEqual(expected);
		compared += expected.text.length;
	}
	expect(compared).toBeGreaterThan(100);
	for (const store of [writer, scanning, indexed]) await store.close();
});

/** The logarithms of two engines may differ in their last bit. */
const shown = (hits: readonly ChunkHit[]) => hits.map(({ score, ...hit }) => ({ ...hit, score: score.toFixed(9) }));

/** Real: the store's file. */
it.each([
	["bits", 136],
	["nibbles", 136],
	["nothing coarse", 8],
] as const)("takes no more memory than it may, also for rows of a model with %s", async (kind, dimensions) => {
	folder = mkdtempSync(join(tmpdir(), "lode-memory-index-"));
	const path = join(folder, "vectors.db");
	const store = createSqliteVectorStore({ path });
	const vector = seededVectors(1, dimensions, 10);
	const chunks = Array.from({ length: 8_100 }, (_, at): ChunkRecord => {
		const file = `${at}.ts`;
		return {
			...{ source: "s1", group: "default", origin: fileOrigin(file), path: file, ordinal: 0, startLine: 1, endLine: 2 },
			...{ kind: "text", model: "test/a", text: "word", vector: vector() },
		};
	});
	await store.stage(1, chunks);
	const database = openDatabase({ path, role: "vector", synchronous: "FULL", migrations: MIGRATIONS });
	const built = async (bytes: number) => {
		const coarse = () => (kind === "nothing coarse" ? undefined : kind);
		const index = new MemoryIndex(database, { bytes, text: { index: "terms", weights: [1, 4, 2] }, coarse });
		await index.ready();
		const taken = index.bytes;
		index.close();
		return taken;
	};
	const all = await built(2 ** 26);
	expect(all).toBeGreaterThan(8_000 * 24);
	expect(await built(100_000)).toBe(0);
	database.close();
	await store.close();
});
