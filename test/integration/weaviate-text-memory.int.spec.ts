import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileOrigin } from "../../src/domain/keys.js";
import { type ChunkRecord, COMMIT_KIND, NO_MODEL } from "../../src/domain/mined-file.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import type { ChunkHit, SearchFilter } from "../../src/stores/vectors/vectors.port.js";
import { createWeaviateVectorStore } from "../../src/stores/vectors/weaviate/weaviate-vectors.adapter.js";
import { Ledger } from "../support/ledger.js";
import { seededNumbers, unit } from "../support/seeded-vectors.js";
import { newInstallation } from "../support/server-profile.js";
import { hasServer, useServer } from "../support/servers.js";

const SEEDS = Array.from({ length: Number(process.env.LODE_WEAVIATE_HISTORIES ?? "1") }, (_, n) => n + 1);
/** In the default run few, as each is several requests. */
const STEPS = SEEDS.length > 1 ? 30 : 10;
const MODELS = ["test/a", "test/b"];
const WORDS = Array.from({ length: 40 }, (_, n) => `word${String.fromCharCode(97 + (n % 26))}${n}`);
const SOURCES = ["s1", "s2", "s3"];
const ALL = 10_000;

type Store = ReturnType<typeof createWeaviateVectorStore>;

const alpha = (path: string): ChunkRecord => ({
	...{ source: "s", group: "default", model: "test/a", origin: fileOrigin(path), path, ordinal: 0 },
	...{ kind: "text", startLine: 1, endLine: 1, text: "alpha", vector: unit(4, 0) },
});
const pathsOfAlpha = async (store: Store, snapshot: Snapshot) =>
	(await store.searchText("alpha", { snapshot }, ALL)).map(({ path }) => path);

/**
 * Real: three connections to one Weaviate. One writes a random history, one searches by its index in memory, one without: after each step they must
 * find the same chunks in the same snapshots. Scores are the same where nothing is there but what was published.
 */
describe.runIf(hasServer("weaviate"))("the text of Weaviate's chunks in memory", () => {
	let options: Parameters<typeof createWeaviateVectorStore>[0];
	const stores: Store[] = [];
	const open = (memoryBytes: number): Store => {
		const store = createWeaviateVectorStore({ ...options, memoryBytes });
		stores.push(store);
		return store;
	};
	beforeAll(async () => {
		options = { ...(await useServer("weaviate")), apiKey: undefined, installation: newInstallation() };
	});
	afterAll(async () => {
		await Promise.all(stores.map((store) => store.close()));
	});

	it("knows nothing of what was staged while it read, and discarded later", async () => {
		const [writer, indexed, ledger] = [open(0), open(2 ** 26), new Ledger()];
		const find = (snapshot: Snapshot) => pathsOfAlpha(indexed, snapshot);
		const [first, discarded] = [ledger.begin(), ledger.begin()];
		await writer.stage(first, [alpha("a.ts")]);
		const before = ledger.publish(first);
		await writer.stage(discarded, [alpha("b.ts")]);
		await writer.retire(discarded, "s", [fileOrigin("a.ts")]);
		expect(await find(before)).toEqual(["a.ts"]);
		await indexed.ready();
		await writer.discard(discarded);
		ledger.release(discarded);
		const last = ledger.begin();
		await writer.stage(last, [alpha("c.ts")]);
		expect(await find(ledger.publish(last))).toEqual(["a.ts", "c.ts"]);
		expect(await find(before)).toEqual(["a.ts"]);
		expect(indexed.answeredFromMemory()).toBe(2);
	});

	it("shows nothing that was collected before it had heard that it was retired", async () => {
		options = { ...options, installation: newInstallation() };
		const [writer, indexed, ledger] = [open(0), open(2 ** 26), new Ledger()];
		const find = (snapshot: Snapshot) => pathsOfAlpha(indexed, snapshot);
		const first = ledger.begin();
		await writer.stage(first, [alpha("a.ts"), alpha("b.ts")]);
		const before = ledger.publish(first);
		await find(before);
		await indexed.ready();
		expect(await find(before)).toEqual(["a.ts", "b.ts"]);
		// One that is open, as nearly always.
		ledger.begin();
		const third = ledger.begin();
		await writer.stage(third, [alpha("c.ts")]);
		await writer.retire(third, "s", [fileOrigin("a.ts")]);
		const after = ledger.publish(third);
		expect(await writer.collect("s", after, [])).toBe(1);
		expect(await find(after)).toEqual(["b.ts", "c.ts"]);
		// The next question has it read anew; what is collected later of seqs that it knows, it need not hear of.
		await find(after);
		await indexed.ready();
		expect(await find(after)).toEqual(["b.ts", "c.ts"]);
		expect(indexed.answeredFromMemory()).toBe(2);
		const fourth = ledger.begin();
		await writer.retire(fourth, "s", [fileOrigin("c.ts")]);
		const last = ledger.publish(fourth);
		expect(await find(last)).toEqual(["b.ts"]);
		expect(await writer.collect("s", last, [])).toBe(1);
		expect(await find(last)).toEqual(["b.ts"]);
	});

	it.each(SEEDS)("answers as Weaviate does, whatever another process did before (history %i)", async (seed) => {
		options = { ...options, installation: newInstallation() };
		const [writer, plain] = [open(0), open(0)];
		let indexed = open(2 ** 26);
		const next = seededNumbers(seed);
		const below = (limit: number) => Math.floor(next() * limit);
		const any = <T>(values: readonly T[]): T => values[below(values.length)] as T;
		// Some words stand nearly everywhere, others hardly anywhere.
		const words = (count: number) => Array.from({ length: count }, () => WORDS[Math.floor(40 ** next()) - 1]).join(" ");
		const chunk = (source: string, path: string, ordinal: number, group = below(2)): ChunkRecord => ({
			// A group has one model.
			...{ group: ["default", "other"][group] as string, model: MODELS[group] as string },
			...{ source, origin: fileOrigin(path), path, ordinal, startLine: 1, endLine: 2 },
			kind: any(["function", "text"]),
			...(next() < 0.5 && { language: any(["typescript", "sql"]) }),
			...(next() < 0.5 && { symbol: `${any(WORDS)}${any(["", ".run"])}` }),
			text: words(1 + below(30)),
			vector: unit(4, 0),
		});
		const said = (source: string, ordinal: number): ChunkRecord => ({
			...{ source, group: "default", origin: "commit:a", path: "", startLine: 1, endLine: 1 },
			...{ kind: COMMIT_KIND, model: NO_MODEL, text: words(5), vector: new Float32Array([1]), ordinal },
		});

		const ledger = new Ledger();
		// Of each model, as a collection is known before anything of it is published.
		const first = ledger.begin();
		const one = MODELS.map((_, n) => chunk("s1", "src/0.ts", n, n));
		await writer.stage(first, [...one, said("s1", 0)]);
		let published: Snapshot[] = [ledger.publish(first)];
		const files = () => Array.from({ length: 3 }, () => `${any(["src", "docs"])}/${below(6)}.ts`);
		const steps: Record<string, () => Promise<unknown>> = {
			stage: async () => {
				const source = any(SOURCES);
				const isOpen = ledger.openSeqs().length > 0;
				const seq = isOpen && next() < 0.4 ? any(ledger.openSeqs()) : ledger.begin();
				const [changed, gone] = [files(), files()];
				const records = changed.flatMap((path) =>
					Array.from({ length: 1 + below(4) }, (_, n) => chunk(source, path, n)),
				);
				await writer.retire(seq, source, [...changed, ...gone].map(fileOrigin), { again: next() < 0.2 });
				await writer.stage(seq, [...records, said(source, below(1_000))], { again: next() < 0.2 });
			},
			publish: async () => {
				if (ledger.openSeqs().length > 0) published.push(ledger.publish(any(ledger.openSeqs())));
			},
			discard: async () => {
				if (ledger.openSeqs().length === 0) return;
				const seq = any(ledger.openSeqs());
				await writer.discard(seq);
				ledger.release(seq);
			},
			collect: async () => {
				const horizon = any(published);
				published = published.slice(published.indexOf(horizon));
				await writer.collect(any(SOURCES), horizon, ledger.openSeqs());
			},
			drop: () => writer.dropSource(any(SOURCES)),
			restart: async () => {
				await indexed.close();
				indexed = open(2 ** 26);
			},
		};
		const often = ["stage", "stage", "stage", "publish", "publish", "publish"];
		const order = [...often, ...often, "discard", "discard", "collect", "collect", "drop", "restart"];
		const filterOf = (snapshot: Snapshot): SearchFilter => ({
			snapshot,
			...(next() < 0.4 && { sources: SOURCES.slice(below(3)) }),
			...(next() < 0.2 && { group: any(["default", "nowhere"]) }),
			...(next() < 0.3 && { kinds: [any(["function", "text", COMMIT_KIND] as const)] }),
			...(next() < 0.2 && { languages: ["sql"] }),
			...(next() < 0.2 && { path: any(["src/**", "src/[1-4].ts", "nothing/*"]) }),
			...(next() < 0.2 && { model: any([...MODELS, "test/none"]) }),
			...(next() < 0.2 && { after: any(published) }),
			...(next() < 0.2 && { upTo: any(published) }),
		});
		let [compared, fromMemory] = [0, 0];
		for (let step = 0; step < STEPS; step += 1) {
			await steps[any(order)]?.();
			if (next() < 0.3) continue;
			if (next() < 0.8) await indexed.ready();
			for (const snapshot of new Set([published.at(-1) as Snapshot, any(published)])) {
				const [text, filter] = [words(1 + below(4)), filterOf(snapshot)];
				const before = indexed.answeredFromMemory();
				const found = await indexed.searchText(text, filter, ALL);
				fromMemory += indexed.answeredFromMemory() - before;
				const expected = await plain.searchText(text, filter, ALL);
				expect(places(found), JSON.stringify({ step, text, filter })).toEqual(places(expected));
				compared += expected.length;
				const name = any([text.split(" ")[0] as string, "run"]);
				const symbols = [await indexed.searchSymbol(name, filter, ALL), await plain.searchSymbol(name, filter, ALL)];
				expect(symbols[0]).toEqual(symbols[1]);
			}
		}
		// Nothing that is not published, or no longer shown by any snapshot: the same order, and the same scores.
		for (const seq of ledger.openSeqs()) {
			await writer.discard(seq);
			ledger.release(seq);
		}
		for (const source of SOURCES) await writer.collect(source, ledger.snapshot(), []);
		const fresh = open(2 ** 26);
		for (let n = 0; n < 8; n += 1) {
			const [text, filter, limit] = [words(1 + below(4)), filterOf(ledger.snapshot()), 1 + below(10)];
			const shown = (hits: readonly ChunkHit[]) =>
				hits.map(({ score, ...hit }) => ({ ...hit, score: score.toFixed(9) }));
			await fresh.searchText(text, filter, limit);
			await fresh.ready();
			expect(shown(await fresh.searchText(text, filter, limit))).toEqual(
				shown(await open(0).searchText(text, filter, limit)),
			);
		}
		expect(compared).toBeGreaterThan(10);
		expect(fromMemory).toBeGreaterThan(2);
	});
});

const places = (hits: readonly ChunkHit[]): string[] => hits.map(({ id, text }) => `${id} ${text}`).sort();
