import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorCode } from "../../src/domain/errors.js";
import { fileOrigin } from "../../src/domain/keys.js";
import { type ChunkRecord, COMMIT_KIND, chunkRecordDigest, NO_MODEL } from "../../src/domain/mined-file.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import type { ChunkHit, SearchFilter, VectorStore } from "../../src/stores/vectors/vectors.port.js";
import { Ledger } from "../support/ledger.js";
import { seededVectors, unit } from "../support/seeded-vectors.js";
import { type StoreUnderTest, versionedStoreContract } from "./versioned-store.contract.js";

const MODEL = "test/contract-16";
const DIMENSIONS = 16;

function record(source: string, path: string, changes: Partial<ChunkRecord> = {}): ChunkRecord {
	return {
		source,
		group: "default",
		model: MODEL,
		origin: fileOrigin(path),
		path,
		ordinal: 0,
		kind: "text",
		startLine: 1,
		endLine: 2,
		text: "nothing of interest",
		vector: unit(DIMENSIONS, 0),
		...changes,
	};
}

const places = (hits: readonly ChunkHit[]): string[] => hits.map((hit) => `${hit.path}#${hit.ordinal}`);

/** What every vector store does: the versioned contract, and search in full text, vectors and symbols. */
export function vectorsContract(
	name: string,
	create: () => Promise<StoreUnderTest<VectorStore>>,
	options: { readonly modelRuns?: number } = {},
): void {
	versionedStoreContract<VectorStore, ChunkRecord>(name, {
		...options,
		create,
		record: (source, origin, item, version) =>
			record(source, origin.replace(/^[a-z]+:/, ""), {
				origin,
				ordinal: item,
				kind: item % 2 === 0 ? "function" : "text",
				startLine: item + 1,
				endLine: item + 1 + version,
				...(item % 2 === 0 ? { symbol: `Thing${item}.run`, language: "typescript" } : {}),
				text: `version ${version} of item ${item}\r\n\tin ${origin} — “quoted” \u{1f600}\0end`,
				vector: seededVectors(version * 1000 + item, DIMENSIONS)(),
			}),
		stage: (store, seq, records) => store.stage(seq, records),
		records: (store, snapshot, source, origin) => store.records(snapshot, source, origin),
		digest: chunkRecordDigest,
	});

	describe(`${name}: search`, () => {
		let under: StoreUnderTest<VectorStore>;
		let store: VectorStore;
		const ledger = new Ledger();
		let sources = 0;
		const newSource = (): string => `search-${++sources}`;

		beforeAll(async () => {
			under = await create();
			store = under.store;
		});
		afterAll(async () => {
			await under?.destroy();
		});

		const publish = async (records: readonly ChunkRecord[], retire: readonly string[] = []): Promise<Snapshot> => {
			const seq = ledger.begin();
			for (const source of new Set(records.map((each) => each.source))) await store.retire(seq, source, retire);
			await store.stage(seq, records);
			return ledger.publish(seq);
		};
		const of = (source: string, snapshot: Snapshot, more: Partial<SearchFilter> = {}): SearchFilter => ({
			snapshot,
			sources: [source],
			...more,
		});

		it("gives back every field of a chunk", async () => {
			const source = newSource();
			const full = record(source, "src/a.ts", {
				ordinal: 3,
				kind: "method",
				symbol: "Client.send",
				language: "typescript",
				startLine: 10,
				endLine: 20,
				text: "send(request: Request): Response {\r\n}",
			});
			const snapshot = await publish([full]);
			const { vector, ...fields } = full;
			for (const hits of [
				await store.searchText("request", of(source, snapshot), 5),
				await store.searchVector(MODEL, vector, of(source, snapshot), 5),
				await store.searchSymbol("send", of(source, snapshot), 5),
			]) {
				expect(hits).toHaveLength(1);
				const { id, score, addedAt, ...rest } = hits[0] as ChunkHit;
				expect(addedAt).toBe(snapshot.seq);
				expect(rest).toEqual(fields);
				expect(id).not.toBe("");
				expect(score).toBeGreaterThan(0);
			}
			expect(await store.records(snapshot, source, full.origin)).toEqual([full]);
		});

		it("keeps what commits say apart: found by their subject alone, and only where a filter asks for commits", async () => {
			const source = newSource();
			const said = record(source, "", {
				origin: `commit:${source}`,
				group: "",
				model: NO_MODEL,
				kind: COMMIT_KIND,
				text: "Mend the gopher\nsrc/zebra.ts",
				vector: Float32Array.of(1),
			});
			const snapshot = await publish([said, record(source, "src/gopher.ts", { text: "a gopher" })]);
			const everything = of(source, snapshot);
			const commits = of(source, snapshot, { kinds: [COMMIT_KIND] });
			expect(places(await store.searchText("gopher", everything, 5))).toEqual(["src/gopher.ts#0"]);
			expect(await store.models(everything)).toEqual([MODEL]);
			expect(await store.count(everything)).toBe(1);
			const [hit, ...more] = await store.searchText("gophers", commits, 5);
			expect(more).toEqual([]);
			expect(hit).toMatchObject({ origin: said.origin, text: said.text, kind: COMMIT_KIND });
			expect(await store.searchText("zebra", commits, 5)).toEqual([]);
			expect(await store.records(snapshot, source, said.origin)).toEqual([said]);
			const later = await publish([record(source, "other.ts")], [said.origin]);
			expect(await store.searchText("gopher", { ...commits, snapshot: later }, 5)).toEqual([]);
			expect(await store.check()).toEqual([]);
		});

		it("gives the first chunk of each file that the filter lets pass", async () => {
			const source = newSource();
			const snapshot = await publish([
				...[2, 1, 3].map((ordinal) => record(source, "a.ts", { ordinal, kind: ordinal === 1 ? "text" : "function" })),
				record(source, "b.md", { kind: "section" }),
			]);
			const files = ["b.md", "a.ts", "none.ts"].map((path) => ({ source, path }));
			const ask = async (more: Partial<SearchFilter>) =>
				places(await store.firstChunks(of(source, snapshot, more), files));
			expect(await ask({})).toEqual(["a.ts#1", "b.md#0"]);
			expect(await ask({ kinds: ["function"] })).toEqual(["a.ts#2"]);
			expect(await ask({ path: "*.md" })).toEqual(["b.md#0"]);
			expect(await store.firstChunks(of(source, snapshot), [])).toEqual([]);
		});

		it("gives every chunk of files, and the vectors of hits", async () => {
			const source = newSource();
			const records = [2, 0, 1].map((ordinal) =>
				record(source, "a.ts", { ordinal, vector: seededVectors(ordinal + 1, DIMENSIONS)() }),
			);
			const snapshot = await publish([...records, record(source, "b.ts"), record(source, "c.ts")]);
			const files = ["b.ts", "a.ts"].map((path) => ({ source, path }));
			const hits = await store.chunksOf(of(source, snapshot), files, 10);
			expect(places(hits)).toEqual(["a.ts#0", "a.ts#1", "a.ts#2", "b.ts#0"]);
			expect(places(await store.chunksOf(of(source, snapshot), files, 2))).toEqual(["a.ts#0", "a.ts#1"]);
			expect(await store.chunksOf(of(source, snapshot, { kinds: ["section"] }), files, 10)).toEqual([]);
			const vectors = await store.vectorsOf(hits.slice(0, 3));
			const byOrdinal = [...records].sort((a, b) => a.ordinal - b.ordinal);
			expect(hits.slice(0, 3).map(({ id }) => vectors.get(id))).toEqual(byOrdinal.map(({ vector }) => vector));
			expect((await store.vectorsOf([])).size).toBe(0);
			// Where reading them is worth it.
			const near = unit(DIMENSIONS, 1);
			const cosines = await store.similarities(MODEL, near, [...hits.slice(0, 3), { id: "0", model: "test/other" }]);
			const expected = [...vectors].map(([id, vector]) => [id, (vector[1] as number).toFixed(5)]);
			if (cosines) expect([...cosines].map(([id, cosine]) => [id, cosine.toFixed(5)]).sort()).toEqual(expected.sort());
		});

		it("filters by when records came, and by their model", async () => {
			const source = newSource();
			const first = await publish([
				record(source, "a.ts", { text: "gopher" }),
				record(source, "b.ts", { text: "gopher" }),
			]);
			const open = ledger.begin();
			await store.stage(open, [record(source, "late.ts", { text: "gopher" })]);
			const second = await publish([record(source, "b.ts", { text: "gopher two" })], ["file:b.ts"]);
			const latest = ledger.publish(open);
			const ask = async (more: Partial<SearchFilter>) =>
				places(await store.searchText("gopher", of(source, latest, more), 10)).sort();
			expect(await ask({})).toEqual(["a.ts#0", "b.ts#0", "late.ts#0"]);
			expect(await ask({ after: first })).toEqual(["b.ts#0", "late.ts#0"]);
			// What was open then had not come by then, though its number is lower.
			expect(await ask({ after: second })).toEqual(["late.ts#0"]);
			expect(await ask({ upTo: second })).toEqual(["a.ts#0", "b.ts#0"]);
			expect(await ask({ upTo: first })).toEqual(["a.ts#0"]);
			expect(await ask({ after: first, upTo: second })).toEqual(["b.ts#0"]);
			expect(await ask({ model: MODEL })).toHaveLength(3);
			expect(await ask({ model: "test/unknown" })).toEqual([]);
			expect(await store.models(of(source, latest, { model: "test/unknown" }))).toEqual([]);
		});

		it("splits identifiers in text, path and query, and knows word forms", async () => {
			const source = newSource();
			const snapshot = await publish([
				record(source, "src/connection-pool.ts", { text: "export class A {}" }),
				record(source, "src/b.ts", { text: "const maxKeepaliveConnections = 5" }),
				record(source, "src/c.ts", { text: "def parse_http2_header(self): pass" }),
				record(source, "src/d.ts", { text: "nothing", symbol: "RetryPolicy.nextDelay" }),
			]);
			const search = async (text: string) => places(await store.searchText(text, of(source, snapshot), 10)).sort();
			expect(await search("connections")).toEqual(["src/b.ts#0", "src/connection-pool.ts#0"]);
			expect(await search("keep_alive keepalive")).toEqual(["src/b.ts#0"]);
			expect(await search("parseHTTP2Header")).toEqual(["src/c.ts#0"]);
			expect(await search("delays")).toEqual(["src/d.ts#0"]);
			expect(await search("nowhere")).toEqual([]);
		});

		it("ranks rare words above common ones, and reads no query language in what a user types", async () => {
			const source = newSource();
			const filler = Array.from({ length: 30 }, (_, n) =>
				record(source, `filler/${n}.md`, { text: `the client sends a request number ${n}` }),
			);
			const snapshot = await publish([...filler, record(source, "rare.md", { text: "the zebra sends a request" })]);
			const search = async (text: string) => places(await store.searchText(text, of(source, snapshot), 40));
			expect((await search("request zebra"))[0]).toBe("rare.md#0");
			for (const text of [
				'"zebra',
				"zebra AND NOT (",
				"text:zebra*",
				"zebra' OR x=x --",
				"NEAR(zebra, 99)",
				"zebra\0",
			]) {
				expect((await search(text))[0]).toBe("rare.md#0");
			}
			for (const text of ["", "   ", '"', "*", "AND", "()", "\0", "💥"]) await search(text);
			expect(await search("the")).not.toEqual([]);
		});

		it("answers a query of ten thousand characters", async () => {
			const source = newSource();
			const snapshot = await publish([record(source, "a.md", { text: "alpha beta gamma" })]);
			const text = `alpha ${"beta gamma word ".repeat(700)}`;
			expect(places(await store.searchText(text, of(source, snapshot), 5))).toEqual(["a.md#0"]);
		});

		it("ranks vectors by cosine similarity", async () => {
			const source = newSource();
			const vectors = seededVectors(7, DIMENSIONS);
			const records = Array.from({ length: 60 }, (_, n) => record(source, `v/${n}.ts`, { vector: vectors() }));
			const snapshot = await publish(records);
			const query = vectors();
			const cosine = (vector: Float32Array) => vector.reduce((sum, x, at) => sum + x * (query[at] as number), 0);
			const expected = [...records].sort((a, b) => cosine(b.vector) - cosine(a.vector)).slice(0, 10);
			const hits = await store.searchVector(MODEL, query, of(source, snapshot), 10);
			expect(places(hits)).toEqual(expected.map((each) => `${each.path}#0`));
			for (const [index, hit] of hits.entries()) {
				expect(hit.score).toBeCloseTo(cosine((expected[index] as ChunkRecord).vector), 4);
			}
		});

		it("never mixes models and refuses other dimensions", async () => {
			const source = newSource();
			const other = { model: "test/other-8", vector: unit(8, 0) };
			const snapshot = await publish([record(source, "a.ts"), record(source, "b.ts", other)]);
			expect(await store.models(of(source, snapshot))).toEqual([MODEL, other.model]);
			expect(places(await store.searchVector(MODEL, unit(DIMENSIONS, 0), of(source, snapshot), 9))).toEqual(["a.ts#0"]);
			expect(places(await store.searchVector(other.model, unit(8, 0), of(source, snapshot), 9))).toEqual(["b.ts#0"]);
			expect(await store.searchVector("test/unknown-8", unit(8, 0), of(source, snapshot), 9)).toEqual([]);
			const code = (promise: Promise<unknown>) =>
				promise.then(
					() => "none",
					(error: unknown) => errorCode(error),
				);
			expect(await code(store.searchVector(MODEL, unit(8, 0), of(source, snapshot), 9))).toBe("MODEL_MISMATCH");
			const seq = ledger.begin();
			expect(await code(store.stage(seq, [record(source, "c.ts", { vector: unit(8, 0) })]))).toBe("MODEL_MISMATCH");
			await store.discard(seq);
			ledger.release(seq);
		});

		it("finds symbols by their name or the end of it, exactly, in order of place", async () => {
			const source = newSource();
			const named = (path: string, ordinal: number, symbol: string) => record(source, path, { ordinal, symbol });
			const snapshot = await publish([
				named("b.py", 1, "Client.send"),
				named("b.py", 0, "send"),
				named("a.py", 0, "AsyncClient.send"),
				named("c.py", 0, "resend"),
				named("d.py", 0, "Send"),
				named("e.py", 0, "send.later"),
			]);
			const search = async (text: string, limit = 10) =>
				places(await store.searchSymbol(text, of(source, snapshot), limit));
			expect(await search("send")).toEqual(["a.py#0", "b.py#0", "b.py#1"]);
			expect(await search("send", 2)).toEqual(["a.py#0", "b.py#0"]);
			expect(await search("Client.send")).toEqual(["b.py#1"]);
			expect(await search("%")).toEqual([]);
			expect(await search("")).toEqual([]);
		});

		it("applies every filter before it ranks, in every search", async () => {
			const source = newSource();
			const near = unit(DIMENSIONS, 3);
			// The 900 best matches of the query are all filtered away.
			const decoys = Array.from({ length: 900 }, (_, n) =>
				record(source, `vendor/x/${n}.ts`, { text: "zebra zebra zebra", vector: near, symbol: "zebra" }),
			);
			const far = seededVectors(11, DIMENSIONS)();
			const wanted = record(source, "src/deep/.hidden/wanted.py", {
				group: "docs",
				kind: "section",
				language: "markdown",
				symbol: "zebra",
				text: "one zebra among many other words of a long sentence that says something else altogether",
				vector: far,
			});
			const snapshot = await publish([...decoys, wanted]);
			const filters: Partial<SearchFilter>[] = [
				{ group: "docs" },
				{ kinds: ["section", "class"] },
				{ languages: ["markdown"] },
				{ path: "src/**" },
				{ path: "**/*.py" },
				{ path: "src/deep/.hidden/wanted.py" },
				{ path: "!vendor/**" },
				{ path: "{src,lib}/**/w*.p[xy]" },
			];
			for (const filter of filters) {
				const scope = of(source, snapshot, filter);
				expect(await store.count(scope)).toBe(1);
				expect(await store.models(scope)).toEqual([MODEL]);
				for (const hits of [
					await store.searchText("zebra", scope, 5),
					await store.searchVector(MODEL, near, scope, 5),
					await store.searchSymbol("zebra", scope, 5),
				]) {
					expect(places(hits)).toEqual(["src/deep/.hidden/wanted.py#0"]);
				}
			}
			for (const filter of [{ group: "none" }, { path: "other/**" }, { kinds: [] }, { languages: ["cobol"] }]) {
				const scope = of(source, snapshot, filter);
				expect(await store.count(scope)).toBe(0);
				expect(await store.searchText("zebra", scope, 5)).toEqual([]);
				expect(await store.searchVector(MODEL, near, scope, 5)).toEqual([]);
			}
			expect(await store.count({ snapshot, sources: ["search-none"] })).toBe(0);
			expect(await store.searchText("zebra", { snapshot, sources: [] }, 5)).toEqual([]);
		});

		it("refuses globs without a bound", async () => {
			const source = newSource();
			const snapshot = await publish([record(source, "a.ts")]);
			for (const path of ["a".repeat(5_000), "*a".repeat(200)]) {
				const error = await store.count(of(source, snapshot, { path })).catch((thrown: unknown) => thrown);
				expect(errorCode(error)).toBe("USAGE");
			}
		});

		it("shows each snapshot its own chunks in every search", async () => {
			const source = newSource();
			const near = unit(DIMENSIONS, 5);
			const version = (text: string) => record(source, "a.ts", { text, symbol: "thing", vector: near });
			const first = await publish([version("old giraffe")]);
			const pending = ledger.begin();
			await store.retire(pending, source, ["file:a.ts"]);
			await store.stage(pending, [version("new giraffe")]);
			// Another source publishes past the one that still stages.
			const between = await publish([record(newSource(), "other.ts")]);
			const second = ledger.publish(pending);
			for (const [snapshot, text] of [
				[first, "old giraffe"],
				[between, "old giraffe"],
				[second, "new giraffe"],
			] as const) {
				const scope = of(source, snapshot);
				expect(await store.count(scope)).toBe(1);
				for (const hits of [
					await store.searchText("giraffe", scope, 5),
					await store.searchVector(MODEL, near, scope, 5),
					await store.searchSymbol("thing", scope, 5),
				]) {
					expect(hits.map((hit) => hit.text)).toEqual([text]);
				}
			}
		});

		it("finds nothing wrong with itself", async () => {
			expect(await store.check()).toEqual([]);
		});
	});
}
