import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EMPTY_TALLY } from "../../src/domain/digest.js";
import {
	type Edge,
	type EntityState,
	type GraphRecord,
	graphRecordDigest,
	normalRecord,
} from "../../src/domain/entities.js";
import { linkOrigin, nameKey } from "../../src/domain/keys.js";
import type { Snapshot } from "../../src/domain/snapshot.js";
import type { GraphStore, NeighbourQuery } from "../../src/stores/graph/graph.port.js";
import { Ledger } from "../support/ledger.js";
import { type StoreUnderTest, versionedStoreContract } from "./versioned-store.contract.js";

export interface GraphDriver {
	create(): Promise<StoreUnderTest<GraphStore>>;
	readonly modelRuns?: number;
}

const symbol = (source: string, text: string) => nameKey(source, "symbol", "typescript", text);

/** A state with what is not said left empty. */
function state(source: string, origin: string, key: string, rest: Partial<EntityState> = {}): GraphRecord {
	return { source, origin, key, kind: "symbol", name: key, props: {}, edges: [], provides: [], ...rest };
}

/** What the link step stages for a name. */
const link = (source: string, name: string, targets: readonly string[]): GraphRecord =>
	state(source, linkOrigin(name), name, {
		kind: "name",
		edges: targets.map((to) => ({ kind: "REFERENCES", to })),
	});

const edge = (kind: Edge["kind"], to: string): Edge => ({ kind, to });

/** What every graph store does. */
export function graphStoreContract(name: string, driver: GraphDriver): void {
	versionedStoreContract<GraphStore, GraphRecord>(name, {
		...driver,
		record: (source, origin, item, version) => ({
			source,
			origin,
			key: `symbol:${source}:${origin}#s${item}`,
			kind: item % 2 === 0 ? "symbol" : "section",
			name: `s${item}`,
			props: { version, nested: { list: [1, "two", null, true] } },
			edges: [edge("CALLS", symbol(source, `f${version}`)), edge("CONTAINS", `file:${source}:shared`)].slice(
				0,
				item + 1,
			),
			provides: Array.from({ length: item % 3 }, (_, rank) => ({ name: symbol(source, `s${item}`), rank })),
		}),
		stage: (store, seq, records) => store.stage(seq, records),
		records: (store, snapshot, source, origin) => store.records(snapshot, source, origin),
		digest: graphRecordDigest,
	});

	describe(`${name}: graph`, () => {
		let under: StoreUnderTest<GraphStore>;
		let store: GraphStore;
		const ledger = new Ledger();
		let sources = 0;

		beforeAll(async () => {
			under = await driver.create();
			store = under.store;
		});
		afterAll(async () => {
			await under?.destroy();
		});

		const newSource = (): string => `graph-${++sources}`;
		/** Replaces the content of the records' origins, and of those given, and publishes. */
		const publish = async (source: string, records: readonly GraphRecord[], gone: string[] = []): Promise<Snapshot> => {
			const seq = ledger.begin();
			await store.retire(seq, source, [...gone, ...new Set(records.map(({ origin }) => origin))]);
			await store.stage(seq, records);
			return ledger.publish(seq);
		};
		const at = (snapshot: Snapshot, ...only: string[]) => ({ snapshot, ...(only.length > 0 && { sources: only }) });
		const ask = (snapshot: Snapshot, direction: "in" | "out", key: string, rest: Partial<NeighbourQuery> = {}) =>
			store.neighbours({ snapshot }, { keys: [key], direction, limit: 100, ...rest });

		describe("entities", () => {
			it("merges the visible states of a key, over origins and sources", async () => {
				const [a, b] = [newSource(), newSource()];
				const key = `package:npm/left-pad-${a}`;
				const one = { kind: "package", name: "left-pad" } as const;
				const first = await publish(a, [
					state(a, "file:package.json", key, { ...one, props: { version: "1", dev: true } }),
					state(a, "file:other/package.json", key, { ...one, props: { version: "2" } }),
				]);
				const second = await publish(b, [
					state(b, "file:a.json", key, { ...one, props: { version: "3", license: "MIT" } }),
				]);
				expect(await store.entity(at(first), key)).toEqual({
					key,
					...one,
					props: { version: "2", dev: true },
					sources: [a],
					origins: ["file:other/package.json", "file:package.json"],
				});
				expect(await store.entity(at(second), key)).toEqual({
					key,
					...one,
					props: { version: "3", license: "MIT", dev: true },
					sources: [a, b],
					origins: ["file:a.json", "file:other/package.json", "file:package.json"],
				});
				expect((await store.entity(at(second, b), key))?.props).toEqual({ version: "3", license: "MIT" });
				expect(await store.entity(at(second, "unknown"), key)).toBeUndefined();
				expect(await store.entity(at(second, a, b), key)).toEqual(await store.entity(at(second), key));
			});

			it("finds many keys at once and leaves out unknown ones", async () => {
				const source = newSource();
				const keys = Array.from({ length: 1200 }, (_, n) => `symbol:${source}:a#${n}`);
				const snapshot = await publish(
					source,
					keys.map((key) => state(source, "file:a", key)),
				);
				const found = await store.entitiesByKey(at(snapshot), [...keys, "symbol:unknown", keys[0] as string]);
				expect(found.map((entity) => entity.key).sort()).toEqual([...keys].sort());
			});

			it("searches by name, by the beginning of a name and by kind, in order", async () => {
				const source = newSource();
				const named = (text: string, kind: EntityState["kind"] = "symbol") =>
					state(source, "file:a", `${kind}:${source}:${text}`, { kind, name: text });
				const snapshot = await publish(source, [
					...["send", "sender", "send%", "sen", "Send", "send\u{10ffff}x"].map((text) => named(text)),
					named("send", "section"),
					state(source, "file:b", symbol(source, "send"), { kind: "name", name: "send" }),
				]);
				const find = async (query: Parameters<GraphStore["entities"]>[1]) =>
					(await store.entities(at(snapshot, source), query)).map(({ kind, name: text }) => `${kind} ${text}`);
				expect(await find({ name: "send", limit: 10 })).toEqual(["section send", "symbol send"]);
				expect(await find({ name: "send", prefix: true, limit: 10 })).toEqual([
					"section send",
					"symbol send",
					"symbol send%",
					"symbol sender",
					"symbol send\u{10ffff}x",
				]);
				expect(await find({ name: "send", prefix: true, limit: 3 })).toEqual([
					"section send",
					"symbol send",
					"symbol send%",
				]);
				expect(await find({ name: "send", kinds: ["symbol"], limit: 10 })).toEqual(["symbol send"]);
				expect(await find({ name: "send", kinds: ["name"], limit: 10 })).toEqual(["name send"]);
				expect(await find({ kinds: ["section", "name"], limit: 10 })).toEqual(["name send", "section send"]);
				expect(await find({ key: `section:${source}:send`, limit: 10 })).toEqual(["section send"]);
				expect(await find({ key: symbol(source, "send"), limit: 10 })).toEqual(["name send"]);
				expect(await find({ name: "unknown", limit: 10 })).toEqual([]);
				expect((await find({ limit: 100 })).length).toBe(7);
				expect(await find({ limit: 2 })).toEqual(["symbol Send", "symbol sen"]);
			});

			it("finds an entity by the name that any of its states gives it", async () => {
				const source = newSource();
				const key = `symbol:${source}:x`;
				const snapshot = await publish(source, [
					state(source, "file:a", key, { name: "first" }),
					state(source, "file:b", key, { name: "second" }),
				]);
				const found = await store.entities(at(snapshot, source), { name: "second", limit: 5 });
				expect(found.map((entity) => entity.name)).toEqual(["first"]);
			});

			it("counts entities, not states, by the kind that their first origin gives them", async () => {
				const source = newSource();
				const before = await publish(source, [
					state(source, "file:a", "k1", { kind: "data_model" }),
					state(source, "file:b", "k1", { kind: "dataset" }),
					state(source, "file:b", "k2", { kind: "dataset" }),
				]);
				const after = await publish(source, [], ["file:a"]);
				expect(await store.countByKind(at(before, source))).toEqual({ data_model: 1, dataset: 1 });
				expect(await store.countByKind(at(after, source))).toEqual({ dataset: 2 });
				expect(await store.countByKind(at(after, "unknown"))).toEqual({});
			});
		});

		describe("neighbours", () => {
			it("are ordered by key, kind and other key, without doubles, up to the limit a key", async () => {
				const source = newSource();
				const key = (text: string) => `symbol:${source}:${text}`;
				const snapshot = await publish(source, [
					state(source, "file:a", key("x"), {
						edges: [edge("CALLS", key("z")), edge("CALLS", key("y")), edge("CONTAINS", key("a"))],
					}),
					// Another origin states the same edge and one more.
					state(source, "file:b", key("x"), { edges: [edge("CALLS", key("y")), edge("AUTHORED", key("q"))] }),
					state(source, "file:b", key("w"), { edges: [edge("CALLS", key("y"))] }),
				]);
				const all = [
					{ from: key("x"), kind: "AUTHORED", to: key("q") },
					{ from: key("x"), kind: "CALLS", to: key("y") },
					{ from: key("x"), kind: "CALLS", to: key("z") },
					{ from: key("x"), kind: "CONTAINS", to: key("a") },
				];
				expect(await ask(snapshot, "out", key("x"))).toEqual(all);
				expect(await ask(snapshot, "out", key("x"), { limit: 2 })).toEqual(all.slice(0, 2));
				expect(await ask(snapshot, "out", key("x"), { kinds: ["CALLS", "PARENT"] })).toEqual(all.slice(1, 3));
				expect(await ask(snapshot, "in", key("y"))).toEqual([
					{ from: key("w"), kind: "CALLS", to: key("y") },
					{ from: key("x"), kind: "CALLS", to: key("y") },
				]);
				expect(await ask(snapshot, "in", key("y"), { limit: 1 })).toEqual([
					{ from: key("w"), kind: "CALLS", to: key("y") },
				]);
				expect(await ask(snapshot, "in", key("y"), { kinds: ["IMPORTS"] })).toEqual([]);
				expect(await ask(snapshot, "out", "symbol:unknown")).toEqual([]);
				const both = await ask(snapshot, "out", key("x"), { keys: [key("x"), key("w"), key("x")], limit: 1 });
				expect(both).toEqual([{ from: key("w"), kind: "CALLS", to: key("y") }, all[0]]);
			});

			it("live and die with the state that states them", async () => {
				const source = newSource();
				const [x, y] = [`symbol:${source}:x`, `symbol:${source}:y`];
				const before = await publish(source, [state(source, "file:a", x, { edges: [edge("CALLS", y)] })]);
				const seq = ledger.begin();
				await store.retire(seq, source, ["file:a"]);
				await store.stage(seq, [state(source, "file:a", x, { edges: [edge("IMPORTS", y)] })]);
				expect(await ask(ledger.snapshot(), "out", x)).toEqual([{ from: x, kind: "CALLS", to: y }]);
				expect(await ask(ledger.snapshot(), "in", y)).toEqual([{ from: x, kind: "CALLS", to: y }]);
				const after = ledger.publish(seq);
				expect(await ask(after, "in", y)).toEqual([{ from: x, kind: "IMPORTS", to: y }]);
				expect(await ask(before, "in", y)).toEqual([{ from: x, kind: "CALLS", to: y }]);
			});

			it("keep to the sources asked for", async () => {
				const [a, b] = [newSource(), newSource()];
				const target = `package:npm/${a}`;
				await publish(a, [state(a, "file:a", `file:${a}:a`, { edges: [edge("DEPENDS_ON", target)] })]);
				const snapshot = await publish(b, [state(b, "file:a", `file:${b}:a`, { edges: [edge("DEPENDS_ON", target)] })]);
				const query = { keys: [target], direction: "in", limit: 10 } as const;
				expect((await store.neighbours(at(snapshot, b), query)).map(({ from }) => from)).toEqual([`file:${b}:a`]);
				expect((await store.neighbours(at(snapshot), query)).length).toBe(2);
			});

			it("look through names that are linked, both ways, and show those that are not", async () => {
				const source = newSource();
				const key = (text: string) => `symbol:${source}:${text}`;
				const [known, unknown] = [symbol(source, "known"), symbol(source, "unknown")];
				const caller = state(source, "file:a", key("caller"), {
					edges: [edge("CALLS", known), edge("IMPORTS", known), edge("CALLS", unknown), edge("CALLS", key("direct"))],
				});
				const other = state(source, "file:c", key("other"), { edges: [edge("CALLS", known)] });
				const unlinked = await publish(source, [caller, other]);
				const linked = await publish(source, [link(source, known, [key("t1"), key("t2")])]);
				const moved = await publish(source, [link(source, known, [key("t3")])]);
				const gone = await publish(source, [], [linkOrigin(known)]);

				const called = { from: key("caller"), kind: "CALLS" };
				const direct = { ...called, to: key("direct") };
				expect(await ask(unlinked, "out", key("caller"), { kinds: ["CALLS"] })).toEqual([
					{ ...called, to: known },
					{ ...called, to: unknown },
					direct,
				]);
				expect(await ask(linked, "out", key("caller"))).toEqual([
					{ ...called, to: unknown },
					direct,
					{ ...called, to: key("t1"), via: known },
					{ ...called, to: key("t2"), via: known },
					{ from: key("caller"), kind: "IMPORTS", to: key("t1"), via: known },
					{ from: key("caller"), kind: "IMPORTS", to: key("t2"), via: known },
				]);
				expect(await ask(linked, "out", key("caller"), { limit: 3 })).toEqual([
					{ ...called, to: unknown },
					direct,
					{ ...called, to: key("t1"), via: known },
				]);
				expect(await ask(linked, "in", key("t2"))).toEqual([
					{ ...called, to: key("t2"), via: known },
					{ from: key("other"), kind: "CALLS", to: key("t2"), via: known },
					{ from: key("caller"), kind: "IMPORTS", to: key("t2"), via: known },
				]);
				expect(await ask(linked, "in", key("t2"), { kinds: ["CALLS"], limit: 1 })).toEqual([
					{ ...called, to: key("t2"), via: known },
				]);
				expect(await ask(moved, "in", key("t2"))).toEqual([]);
				expect((await ask(moved, "in", key("t3"))).length).toBe(3);
				expect(await ask(gone, "in", key("t3"))).toEqual([]);
				expect(await ask(gone, "out", key("caller"))).toEqual(await ask(unlinked, "out", key("caller")));
				expect((await ask(linked, "in", key("t2"))).length).toBe(3);
			});

			it("prefer the direct edge to the same one through a name", async () => {
				const source = newSource();
				const [x, y] = [`symbol:${source}:x`, `symbol:${source}:y`];
				const [n1, n2] = [symbol(source, "n1"), symbol(source, "n2")];
				const snapshot = await publish(source, [
					state(source, "file:a", x, {
						edges: [edge("CALLS", n2), edge("CALLS", y), edge("IMPORTS", n2), edge("IMPORTS", n1)],
					}),
					link(source, n1, [y]),
					link(source, n2, [y]),
				]);
				const expected = [
					{ from: x, kind: "CALLS", to: y },
					{ from: x, kind: "IMPORTS", to: y, via: n1 },
				];
				expect(await ask(snapshot, "out", x)).toEqual(expected);
				expect(await ask(snapshot, "in", y)).toEqual(expected);
			});

			it("of a name itself are as they are stored", async () => {
				const source = newSource();
				const [x, y, n] = [`symbol:${source}:x`, `symbol:${source}:y`, symbol(source, "n")];
				const snapshot = await publish(source, [
					state(source, "file:a", x, { edges: [edge("CALLS", n)] }),
					link(source, n, [y]),
				]);
				expect(await ask(snapshot, "in", n)).toEqual([{ from: x, kind: "CALLS", to: n }]);
				expect(await ask(snapshot, "out", n)).toEqual([{ from: n, kind: "REFERENCES", to: y }]);
			});

			it("follow lineage through names like any other edge", async () => {
				const source = newSource();
				const model = (text: string) => `data_model:${source}:${text}`;
				const ref = (text: string) => nameKey(source, "model", "sql", text);
				const derived = (text: string, from: string[]) =>
					state(source, `file:models/${text}.sql`, model(text), {
						kind: "data_model",
						name: text,
						edges: from.map((to) => edge("DERIVES_FROM", ref(to))),
						provides: [{ name: ref(text), rank: 0 }],
					});
				const snapshot = await publish(source, [
					derived("customers", ["stg_orders", "stg_payments"]),
					derived("stg_orders", ["raw_orders"]),
					derived("stg_payments", []),
					...["stg_orders", "stg_payments"].map((text) => link(source, ref(text), [model(text)])),
				]);
				const to = async (key: string) => (await ask(snapshot, "out", key)).map((neighbour) => neighbour.to);
				expect(await to(model("customers"))).toEqual([model("stg_orders"), model("stg_payments")]);
				expect(await to(model("stg_orders"))).toEqual([ref("raw_orders")]);
				expect((await ask(snapshot, "in", model("stg_payments"))).map(({ from }) => from)).toEqual([
					model("customers"),
				]);
			});
		});

		describe("changes between snapshots", () => {
			it("are the entities whose merged state differs, both ways, page by page", async () => {
				const source = newSource();
				const key = (text: string) => `symbol:${source}:${text}`;
				const one = (origin: string, text: string, props = {}) =>
					state(source, origin, key(text), { name: text, props });
				const from = await publish(source, [
					one("file:a", "edited", { v: 1 }),
					one("file:a", "same", { v: 1 }),
					one("file:a", "gone"),
					one("file:b", "moved"),
					one("file:b", "shared", { v: 1 }),
					one("file:c", "shared", { v: 2 }),
					link(source, symbol(source, "x"), [key("same")]),
				]);
				const to = await publish(
					source,
					[
						one("file:a", "edited", { v: 2 }),
						one("file:a", "same", { v: 1 }),
						one("file:a", "new"),
						one("file:d", "moved"),
						link(source, symbol(source, "x"), [key("new")]),
					],
					["file:b"],
				);
				const expected = [
					{ key: key("edited"), kind: "symbol", name: "edited", change: "changed" },
					{ key: key("gone"), kind: "symbol", name: "gone", change: "removed" },
					{ key: key("new"), kind: "symbol", name: "new", change: "added" },
					// The state of the first origin went, so that of the next one shows.
					{ key: key("shared"), kind: "symbol", name: "shared", change: "changed" },
				];
				expect(await store.changes(source, from, to, undefined, 100)).toEqual(expected);
				const reverse = { added: "removed", removed: "added", changed: "changed" };
				expect(await store.changes(source, to, from, undefined, 100)).toEqual(
					expected.map((change) => ({ ...change, change: reverse[change.change as keyof typeof reverse] })),
				);
				expect(await store.changes(source, to, to, undefined, 100)).toEqual([]);
				const pages = [];
				for (let after: string | undefined; ; ) {
					const page = await store.changes(source, from, to, after, 1);
					if (page.length === 0) break;
					pages.push(...page);
					after = page.at(-1)?.key;
				}
				expect(pages).toEqual(expected);
				expect(await store.changes("unknown", from, to, undefined, 100)).toEqual([]);
			});

			it("see ingestions that were published out of order", async () => {
				const [a, b] = [newSource(), newSource()];
				await publish(a, [state(a, "file:x", `k:${a}`, { props: { v: 1 } })]);
				const early = ledger.begin();
				await store.retire(early, a, ["file:x"]);
				await store.stage(early, [state(a, "file:x", `k:${a}`, { props: { v: 2 } })]);
				const from = await publish(b, [state(b, "file:x", `k:${b}`)]);
				const to = ledger.publish(early);
				expect(to.seq).toBe(from.seq);
				const changed = [{ key: `k:${a}`, kind: "symbol", name: `k:${a}`, change: "changed" }];
				expect(await store.changes(a, from, to, undefined, 10)).toEqual(changed);
				expect(await store.changes(a, to, from, undefined, 10)).toEqual(changed);
				expect(await store.changes(b, from, to, undefined, 10)).toEqual([]);
			});

			it("find changes beyond many keys that were stated again without one", async () => {
				const source = newSource();
				const all = (version: number) =>
					Array.from({ length: 1300 }, (_, n) =>
						state(source, `file:${n % 7}`, `k:${source}:${String(n).padStart(5, "0")}`, {
							props: n === 1299 ? { version } : {},
						}),
					);
				const from = await publish(source, all(1));
				const to = await publish(source, all(2));
				const changes = await store.changes(source, from, to, undefined, 10);
				expect(changes.map((change) => change.key)).toEqual([`k:${source}:01299`]);
			});
		});

		describe("for the link step", () => {
			const provider = (source: string, origin: string, text: string, provides: [string, number][]) =>
				state(source, origin, `symbol:${source}:${text}`, {
					provides: provides.map(([provided, rank]) => ({ name: symbol(source, provided), rank })),
				});

			it("tells the names that states of this seq provide or provided, page by page", async () => {
				const source = newSource();
				await publish(source, [
					provider(source, "file:a", "a", [
						["gone", 0],
						["both", 0],
					]),
					provider(source, "file:b", "b", [["untouched", 0]]),
				]);
				const seq = ledger.begin();
				expect(await store.touchedNames(seq, source, undefined, 10)).toEqual([]);
				await store.retire(seq, source, ["file:a"]);
				await store.stage(seq, [
					provider(source, "file:a", "a", [
						["both", 1],
						["new", 0],
					]),
				]);
				const names = ["both", "gone", "new"].map((text) => symbol(source, text));
				expect(await store.touchedNames(seq, source, undefined, 10)).toEqual(names);
				expect(await store.touchedNames(seq, source, undefined, 2)).toEqual(names.slice(0, 2));
				expect(await store.touchedNames(seq, source, names[1], 2)).toEqual(names.slice(2));
				await store.discard(seq);
				ledger.release(seq);
				expect(await store.touchedNames(seq, source, undefined, 10)).toEqual([]);
			});

			it("tells who provides a name in the staging view, by rank and target, up to the limit", async () => {
				const source = newSource();
				const base = await publish(source, [
					provider(source, "file:b/index.ts", "index", [["b", 1]]),
					provider(source, "file:b.ts", "plain", [["b", 0]]),
					provider(source, "file:c.ts", "c", [["c", 0]]),
				]);
				const other = newSource();
				const seq = ledger.begin();
				await store.retire(seq, source, ["file:b.ts"]);
				await store.stage(seq, [
					provider(source, "file:z.ts", "z", [
						["b", 1],
						["b", 2],
					]),
					provider(source, "file:y.ts", "y", [["b", 3]]),
				]);
				const target = (text: string, rank: number, provided = "b") => ({
					name: symbol(source, provided),
					target: `symbol:${source}:${text}`,
					rank,
				});
				const names = [symbol(source, "c"), symbol(source, "b"), symbol(source, "unknown")];
				const found = await store.candidates(seq, source, base, names, 10);
				const ofB = [target("index", 1), target("z", 1), target("y", 3)];
				expect(found.filter((one) => one.name === names[1])).toEqual(ofB);
				// Who provides it twice counts once, at the limit too.
				const three = await store.candidates(seq, source, base, names, 3);
				expect(three.filter((one) => one.name === names[1])).toEqual(ofB);
				expect(found.filter((one) => one.name === names[0])).toEqual([target("c", 0, "c")]);
				expect(found.length).toBe(4);
				const cut = await store.candidates(seq, source, base, names, 1);
				expect(cut.filter((one) => one.name === names[1])).toEqual([target("index", 1)]);
				expect(cut.length).toBe(2);
				expect(await store.candidates(seq, other, base, names, 10)).toEqual([]);
				// Another ingestion does not see what this one staged.
				const unaware = await store.candidates(ledger.begin(), source, base, names, 10);
				expect(unaware.filter((one) => one.name === names[1])).toEqual([target("plain", 0), target("index", 1)]);
				ledger.publish(seq);
			});
		});

		describe("content", () => {
			it("comes back as it was staged, whatever characters it holds", async () => {
				const source = newSource();
				const odd = "nul \0 quote ' \" back \\ new\nline \u2028 😀 e\u0301 % _ \ud800 end";
				const record = state(source, `file:${odd}`, `key:${source}:${odd}`, {
					name: odd,
					props: JSON.parse(
						JSON.stringify({ [odd]: [odd, { [odd]: odd }], number: -1.5e-7, big: 2 ** 53, nothing: null }),
					),
					edges: [edge("CALLS", `name:${odd}`), edge("CALLS", `name:${odd}`)],
					provides: [{ name: `name:${odd}`, rank: 7 }],
				});
				const builtIn = state(source, "file:plain", `key:${source}:plain`, {
					props: JSON.parse('{"__proto__": {"a": 1}, "constructor": "c"}'),
				});
				const snapshot = await publish(source, [record, builtIn]);
				const stored = await store.records(snapshot, source, record.origin);
				expect(stored).toEqual([normalRecord(record)]);
				expect(stored.map(graphRecordDigest)).toEqual([graphRecordDigest(record)]);
				expect((await store.records(snapshot, source, "file:plain")).map(graphRecordDigest)).toEqual([
					graphRecordDigest(builtIn),
				]);
				expect((await store.entity(at(snapshot), record.key))?.name).toBe(normalRecord(record).name);
				expect((await ask(snapshot, "in", `name:${odd}`)).length).toBe(1);
				expect((await store.entities(at(snapshot), { name: odd.slice(0, 5), prefix: true, limit: 2 })).length).toBe(1);
				const gone = await publish(source, [], [record.origin]);
				expect(await store.records(gone, source, record.origin)).toEqual([]);
			});

			it("is gone from every question once it is discarded", async () => {
				const source = newSource();
				const key = `symbol:${source}:x`;
				const seq = ledger.begin();
				await store.stage(seq, [state(source, "file:a", key, { edges: [edge("CALLS", key)] })]);
				await store.discard(seq);
				// As if it had been published: nothing of it may be left.
				const snapshot = ledger.publish(seq);
				expect(await store.entity(at(snapshot), key)).toBeUndefined();
				expect(await ask(snapshot, "in", key)).toEqual([]);
				expect(await store.entities(at(snapshot, source), { limit: 10 })).toEqual([]);
				expect(await store.tally(snapshot, source)).toEqual(EMPTY_TALLY);
			});

			it("has no problem after all this", async () => {
				expect(await store.check()).toEqual([]);
			});
		});
	});
}
