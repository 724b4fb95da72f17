import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256 } from "../../src/domain/digest.js";
import { errorCode } from "../../src/domain/errors.js";
import { EMPTY_SNAPSHOT } from "../../src/domain/snapshot.js";
import type { ArtifactStore, ManifestRoot } from "../../src/stores/artifacts/artifacts.port.js";
import {
	type ManifestFile,
	ManifestFinder,
	readManifest,
	updateManifest,
} from "../../src/stores/artifacts/manifest.js";
import { Ledger } from "../support/ledger.js";
import { recordsContract } from "./records.contract.js";
import type { StoreUnderTest } from "./versioned-store.contract.js";

const findInManifest = (store: ArtifactStore, object: string, path: string) =>
	new ManifestFinder(store, object).find(path);

export interface ArtifactDriver {
	create(): Promise<StoreUnderTest<ArtifactStore>>;
	/** Waits until the engine's clock shows another time, so that "before" and "after" can be told; returns a time between (ISO 8601). */
	tick(): Promise<string>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const LONG_AGO = "2000-01-01T00:00:00.000Z";

/** What every artifact store does. */
export function artifactStoreContract(name: string, driver: ArtifactDriver): void {
	describe(`${name}: artifact store`, () => {
		let under: StoreUnderTest<ArtifactStore>;
		let store: ArtifactStore;
		const ledger = new Ledger();
		let sources = 0;

		beforeAll(async () => {
			under = await driver.create();
			store = under.store;
		});
		afterAll(async () => {
			await under?.destroy();
		});

		const newSource = (): string => `source-${++sources}`;
		const rootOf = (source: string, commit: string): ManifestRoot => ({ source, commit, object: sha256(commit) });
		const text = async (object: string): Promise<string | undefined> => {
			const found = await store.get(object);
			return found && new TextDecoder().decode(found);
		};

		describe("objects", () => {
			it("come back by the SHA-256 of their bytes, in the order they were put", async () => {
				const contents = ["b", "a", "", "b", "longer ".repeat(100_000)];
				const addresses = await store.put(contents.map(bytes));
				expect(addresses).toEqual(contents.map((content) => sha256(content)));
				for (const [index, address] of addresses.entries()) expect(await text(address)).toBe(contents[index]);
				expect(await store.put(contents.map(bytes))).toEqual(addresses);
				expect(await store.put([])).toEqual([]);
			});

			it("keep every byte", async () => {
				const all = Uint8Array.from({ length: 256 }, (_, n) => n);
				const [address] = await store.put([all]);
				expect(new Uint8Array((await store.get(address as string)) as Uint8Array)).toEqual(all);
			});

			it("are told absent, each once", async () => {
				const [there] = await store.put([bytes("there")]);
				const [absent, other] = [sha256("absent"), sha256("other")];
				expect(await store.get(absent)).toBeUndefined();
				expect(await store.missing([absent, there as string, other, absent])).toEqual([absent, other]);
				expect(await store.missing([])).toEqual([]);
			});

			it("may be put many at once, from several connections at a time", async () => {
				const contents = Array.from({ length: 300 }, (_, n) => `many ${n % 250}`);
				const other = await under.reopen();
				try {
					const [mine, theirs] = await Promise.all([store.put(contents.map(bytes)), other.put(contents.map(bytes))]);
					expect(mine).toEqual(theirs);
					expect(await other.missing(mine)).toEqual([]);
				} finally {
					await other.close();
				}
			});

			it("may be streamed", async () => {
				const chunk = Buffer.alloc(100_000, "x");
				async function* content() {
					for (let n = 0; n < 50; n++) yield chunk;
				}
				const expected = createHash("sha256").update(Buffer.alloc(5_000_000, "x")).digest("hex");
				expect(await store.putStream(content())).toEqual({ object: expected, size: 5_000_000 });
				expect(await store.putStream(content())).toEqual({ object: expected, size: 5_000_000 });
				expect((await store.get(expected))?.length).toBe(5_000_000);
				const streamed = await store.getStream(expected);
				expect(streamed?.size).toBe(5_000_000);
				const pieces: Uint8Array[] = [];
				for await (const piece of streamed?.pieces ?? []) pieces.push(piece);
				expect(createHash("sha256").update(Buffer.concat(pieces)).digest("hex")).toBe(expected);
				expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(1_000_000);
				// One that is left after a piece leaves nothing open: the store closes, and its folder can be removed.
				const left = await store.getStream(expected);
				for await (const _ of left?.pieces ?? []) break;
				expect(await store.getStream(sha256("never put"))).toBeUndefined();
				async function* nothing(): AsyncGenerator<Uint8Array> {}
				expect(await store.putStream(nothing())).toEqual({ object: sha256(""), size: 0 });
			});

			it("pass on what breaks a stream and keep nothing of it", async () => {
				const broken = new Error("the repository went away");
				async function* content() {
					yield bytes("half");
					throw broken;
				}
				await expect(store.putStream(content())).rejects.toBe(broken);
				expect(await store.missing([sha256("half")])).toEqual([sha256("half")]);
			});
		});

		describe("derived objects", () => {
			it("come back by their key and may be overwritten", async () => {
				await store.putDerived("mined/ab/cd_1.json", bytes("one"));
				expect(await store.getDerived("mined/ab/cd_1.json")).toEqual(Buffer.from("one"));
				await store.putDerived("mined/ab/cd_1.json", bytes("two"));
				await store.putDerived("mined/empty", bytes(""));
				expect(await store.getDerived("mined/ab/cd_1.json")).toEqual(Buffer.from("two"));
				expect(await store.getDerived("mined/empty")).toEqual(Buffer.from(""));
				expect(await store.getDerived("mined/ab")).toBeUndefined();
				expect(await store.getDerived("unknown")).toBeUndefined();
			});

			it("may have keys that begin with another key", async () => {
				for (const key of ["k/a", "k/a/b", "k/a/b/c", "k/a.b"]) await store.putDerived(key, bytes(key));
				for (const key of ["k/a", "k/a/b", "k/a/b/c", "k/a.b"])
					expect(await store.getDerived(key)).toEqual(Buffer.from(key));
			});

			it("are removed by the beginning of their keys", async () => {
				for (const key of ["r/1/a", "r/1/b/c", "r/10/a", "r/2"]) await store.putDerived(key, bytes(key));
				await store.removeDerived("r/1/");
				await store.removeDerived("r/1/");
				expect(await store.getDerived("r/1/a")).toBeUndefined();
				expect(await store.getDerived("r/1/b/c")).toBeUndefined();
				expect(await store.getDerived("r/10/a")).toBeDefined();
				expect(await store.getDerived("r/2")).toBeDefined();
				await store.removeDerived("r/1");
				expect(await store.getDerived("r/10/a")).toBeUndefined();
				expect(await store.getDerived("r/2")).toBeDefined();
			});

			it("refuse keys that are none", async () => {
				const wrong = [
					"",
					"/a",
					"a/",
					"a//b",
					"..",
					"../a",
					"a/../b",
					"a/.",
					"A",
					"a b",
					"a\\b",
					"é",
					"a\0",
					"x".repeat(201),
				];
				for (const key of wrong) {
					await expect(store.putDerived(key, bytes("x")), key).rejects.toMatchObject({ code: "INTERNAL" });
					await expect(store.getDerived(key), key).rejects.toMatchObject({ code: "INTERNAL" });
				}
				await expect(store.removeDerived("../")).rejects.toMatchObject({ code: "INTERNAL" });
				await expect(store.removeDerived("")).rejects.toMatchObject({ code: "INTERNAL" });
			});
		});

		recordsContract(() => under, ledger, driver.tick);

		describe("roots", () => {
			it("are what the snapshot has, in time travel and out-of-order publication", async () => {
				const [a, b] = [newSource(), newSource()];
				const first = ledger.begin();
				await store.stageRoot(first, rootOf(a, "a1"));
				expect(await store.root(ledger.snapshot(), a)).toBeUndefined();
				expect(await store.root(EMPTY_SNAPSHOT, a)).toBeUndefined();
				const one = ledger.publish(first);
				const [second, third] = [ledger.begin(), ledger.begin()];
				await store.stageRoot(second, rootOf(a, "a2"));
				await store.stageRoot(third, rootOf(b, "b1"));
				expect(await store.root(one, a)).toEqual(rootOf(a, "a1"));
				const two = ledger.publish(third);
				expect(await store.root(two, a)).toEqual(rootOf(a, "a1"));
				expect(await store.root(two, b)).toEqual(rootOf(b, "b1"));
				const three = ledger.publish(second);
				expect(await store.root(three, a)).toEqual(rootOf(a, "a2"));
				expect(await store.root(two, a)).toEqual(rootOf(a, "a1"));
				expect(await store.root(one, b)).toBeUndefined();
			});

			it("are one a seq: staging it again replaces it", async () => {
				const source = newSource();
				const seq = ledger.begin();
				expect(await store.stagedRoot(seq)).toBeUndefined();
				await store.stageRoot(seq, rootOf(source, "c"));
				await store.stageRoot(seq, { ...rootOf(source, "c"), object: sha256("other") });
				await store.stageRoot(seq, { ...rootOf(source, "c"), object: sha256("other") });
				expect(await store.stagedRoot(seq)).toEqual({ source, commit: "c", object: sha256("other") });
				expect((await store.roots()).filter((one) => one.seq === seq).length).toBe(1);
				expect(await store.root(ledger.publish(seq), source)).toEqual({ source, commit: "c", object: sha256("other") });
			});

			it("go with a discard, any number of times, and late ones are refused or found", async () => {
				const source = newSource();
				const kept = ledger.begin();
				await store.stageRoot(kept, rootOf(source, "kept"));
				ledger.publish(kept);
				const [object] = await store.put([bytes("of a discarded seq")]);
				const seq = ledger.begin();
				await store.stageRoot(seq, rootOf(source, "gone"));
				await store.discard(seq);
				await store.discard(seq);
				expect(await store.stagedRoot(seq)).toBeUndefined();
				const late = await store.stageRoot(seq, rootOf(source, "late")).then(() => undefined, errorCode);
				if (store.capabilities.refusesClosedSeq) expect(late).toBe("SEQ_CLOSED");
				else await store.discard(seq);
				ledger.release(seq);
				expect(await store.stagedRoot(seq)).toBeUndefined();
				expect(await store.root(ledger.snapshot(), source)).toEqual(rootOf(source, "kept"));
				expect(await text(object as string)).toBe("of a discarded seq");
			});

			it("are collected where no snapshot from the horizon on reads them", async () => {
				const [a, b] = [newSource(), newSource()];
				const snapshots = [];
				for (const commit of ["1", "2", "3"]) {
					const seq = ledger.begin();
					await store.stageRoot(seq, rootOf(a, commit));
					snapshots.push(ledger.publish(seq));
				}
				const other = ledger.begin();
				await store.stageRoot(other, rootOf(b, "b"));
				ledger.publish(other);
				const running = ledger.begin();
				await store.stageRoot(running, rootOf(a, "running"));
				const [, horizon, latest] = snapshots as [(typeof snapshots)[0], (typeof snapshots)[0], (typeof snapshots)[0]];
				expect(await store.collectRoots(a, horizon, ledger.openSeqs())).toBe(1);
				expect(await store.collectRoots(a, horizon, ledger.openSeqs())).toBe(0);
				expect(await store.root(horizon, a)).toEqual(rootOf(a, "2"));
				expect(await store.root(latest, a)).toEqual(rootOf(a, "3"));
				expect(await store.root(ledger.snapshot(), b)).toEqual(rootOf(b, "b"));
				if (store.capabilities.refusesClosedSeq)
					await expect(store.stageRoot(horizon.seq, rootOf(a, "late"))).rejects.toMatchObject({ code: "SEQ_CLOSED" });
				await store.stageRoot(running, rootOf(a, "running"));
				expect(await store.root(ledger.publish(running), a)).toEqual(rootOf(a, "running"));
			});

			it("of a source go when it is dropped", async () => {
				const [a, b] = [newSource(), newSource()];
				for (const source of [a, b]) {
					const seq = ledger.begin();
					await store.stageRoot(seq, rootOf(source, source));
					ledger.publish(seq);
				}
				await store.dropSource(a);
				await store.dropSource(a);
				expect(await store.root(ledger.snapshot(), a)).toBeUndefined();
				expect(await store.root(ledger.snapshot(), b)).toEqual(rootOf(b, b));
				expect(await store.check()).toEqual([]);
			});

			it("tell the highest seq of any, or closed", async () => {
				const own = await driver.create();
				try {
					expect(await own.store.highestSeq()).toBe(0);
					await own.store.stageRoot(3, rootOf("a", "3"));
					await own.store.stageRoot(1_000_000, rootOf("b", "b"));
					expect(await own.store.highestSeq()).toBe(1_000_000);
					await own.store.dropSource("b");
					expect(await own.store.highestSeq()).toBe(3);
					await own.store.discard(9);
					await own.store.discard(8);
					expect(await own.store.highestSeq()).toBe(9);
					await own.store.collectRoots("a", { ...EMPTY_SNAPSHOT, seq: 20 }, [15, 20]);
					expect(await own.store.highestSeq()).toBe(20);
					const other = await own.reopen();
					await other.stageRoot(21, rootOf("a", "21"));
					await other.close();
					expect(await own.store.highestSeq()).toBe(21);
				} finally {
					await own.destroy();
				}
			});

			it("are seen by another connection", async () => {
				const source = newSource();
				const seq = ledger.begin();
				await store.stageRoot(seq, rootOf(source, "c"));
				const other = await under.reopen();
				try {
					expect(await other.root(ledger.publish(seq), source)).toEqual(rootOf(source, "c"));
				} finally {
					await other.close();
				}
			});
		});

		describe("garbage collection of objects", () => {
			it("deletes what is neither kept nor put, renewed or used since", async () => {
				const names = ["kept", "put again", "asked for", "streamed again", "forgotten"];
				const address = Object.fromEntries(names.map((content) => [content, sha256(content)]));
				await store.put(names.map(bytes));
				await store.putDerived("gc/kept", bytes("1"));
				await store.putDerived("gc/again", bytes("1"));
				await store.putDerived("gc/deep/forgotten", bytes("1"));
				const before = await driver.tick();
				await store.put([bytes("put again")]);
				await store.missing([address["asked for"] as string]);
				async function* content() {
					yield bytes("streamed again");
				}
				await store.putStream(content());
				await store.put([bytes("young")]);
				await store.putDerived("gc/again", bytes("2"));
				const kept = new Set([address.kept, "gc/kept"]);
				expect(await store.collectObjects((one) => kept.has(one), LONG_AGO)).toEqual({ objects: 0, bytes: 0 });
				const collected = await store.collectObjects((one) => kept.has(one), before);
				expect(collected.objects).toBeGreaterThanOrEqual(2);
				expect(collected.bytes).toBeGreaterThanOrEqual("forgotten".length);
				const left = [...names.slice(0, 4), "young"];
				for (const one of left) expect(await text(sha256(one)), one).toBe(one);
				expect(await store.get(address.forgotten as string)).toBeUndefined();
				expect(await store.getDerived("gc/kept")).toBeDefined();
				expect(await store.getDerived("gc/again")).toEqual(Buffer.from("2"));
				expect(await store.getDerived("gc/deep/forgotten")).toBeUndefined();
				expect(await store.put([bytes("forgotten")])).toEqual([address.forgotten]);
				expect(await text(address.forgotten as string)).toBe("forgotten");
			});

			it("never takes what was put or renewed while it runs", async () => {
				const contents = Array.from({ length: 120 }, (_, n) => `raced ${n}`);
				await store.put(contents.map(bytes));
				const before = await driver.tick();
				const other = await under.reopen();
				try {
					const [, addresses] = await Promise.all([
						other.collectObjects(() => false, before),
						Promise.all(contents.map(async (content) => (await store.put([bytes(content)]))[0] as string)),
					]);
					expect(await store.missing(addresses)).toEqual([]);
					for (const [index, address] of addresses.entries()) expect(await text(address)).toBe(contents[index]);
				} finally {
					await other.close();
				}
			});
		});

		describe("manifests", () => {
			const file = (path: string, content = path): ManifestFile => ({
				path,
				object: sha256(content),
				size: content.length,
				mode: "file",
			});
			const list = async (object: string, visited?: Set<string>) => {
				const files = [];
				for await (const one of readManifest(store, object, visited)) files.push(one);
				return files;
			};
			const build = (files: readonly ManifestFile[]) => updateManifest(store, undefined, { puts: files, removes: [] });

			it("list their files in byte order of the paths and find each", async () => {
				const paths = ["a", "a.b", "a/x", "a/y/z", "a0", "b/\uff5e", "b/😀", "z", "é"];
				const object = await build(paths.map((path) => file(path)).reverse());
				expect(await list(object)).toEqual(paths.map((path) => file(path)));
				for (const path of paths) expect(await findInManifest(store, object, path)).toEqual(file(path));
				for (const path of ["", "b", "a/y", "a/x/z", "c", "a/"])
					expect(await findInManifest(store, object, path), path).toBeUndefined();
			});

			it("may be empty", async () => {
				const empty = await updateManifest(store, undefined, { puts: [], removes: ["never/there"] });
				expect(await list(empty)).toEqual([]);
				expect(await findInManifest(store, empty, "a")).toBeUndefined();
				const one = await updateManifest(store, empty, { puts: [file("a/b/c")], removes: [] });
				expect(one).toBe(await build([file("a/b/c")]));
				expect(await updateManifest(store, one, { puts: [], removes: ["a/b/c"] })).toBe(empty);
			});

			it("write the folders on the way to one changed file of 3,000 and no others", async () => {
				const files = Array.from({ length: 3000 }, (_, n) => file(`src/${n % 30}/${n % 7}/file-${n}.ts`));
				const base = await build(files);
				const written: Uint8Array[] = [];
				let reads = 0;
				const counting = {
					get: (object: string) => {
						reads += 1;
						return store.get(object);
					},
					put: (objects: readonly Uint8Array[]) => {
						written.push(...objects);
						return store.put(objects);
					},
				};
				const edited = { ...file("src/12/5/file-12.ts", "edited"), mode: "executable" as const };
				const path = files[12]?.path as string;
				const changed = await updateManifest(counting, base, { puts: [{ ...edited, path }], removes: [] });
				// src/12/5: three folders below the root, and the root.
				expect(written.length).toBe(4);
				expect(reads).toBe(4);
				expect(await findInManifest(store, changed, path)).toEqual({ ...edited, path });
				written.length = 0;
				expect(await updateManifest(counting, changed, { puts: [{ ...edited, path }], removes: ["gone"] })).toBe(
					changed,
				);
				expect(written).toEqual([]);
				expect(await updateManifest(counting, changed, { puts: [files[12] as ManifestFile], removes: [] })).toBe(base);
			});

			it("turn a file into a folder of its name and back", async () => {
				const start = await build([file("a"), file("b/c")]);
				const turned = await updateManifest(store, start, { puts: [file("a/x"), file("b")], removes: ["a", "b/c"] });
				expect(await list(turned)).toEqual([file("a/x"), file("b")]);
				expect(turned).toBe(await build([file("b"), file("a/x")]));
				expect(await updateManifest(store, turned, { puts: [file("a"), file("b/c")], removes: ["a/x", "b"] })).toBe(
					start,
				);
			});

			it("walk folders that they share once", async () => {
				const first = await build([file("same/a"), file("same/b"), file("other/c")]);
				const second = await updateManifest(store, first, { puts: [file("other/d")], removes: [] });
				const visited = new Set<string>();
				expect((await list(first, visited)).map((one) => one.path)).toEqual(["other/c", "same/a", "same/b"]);
				expect((await list(second, visited)).map((one) => one.path)).toEqual(["other/c", "other/d"]);
				expect(await list(second, visited)).toEqual([]);
				expect(visited.has(first) && visited.has(second)).toBe(true);
				expect(visited.size).toBe(5);
			});

			it("name a folder that is missing or is none", async () => {
				const [none] = await store.put([bytes('{"entries": 1}')]);
				for (const object of [sha256("no such folder"), none as string]) {
					await expect(list(object)).rejects.toMatchObject({ code: "STORE_CORRUPT" });
					await expect(findInManifest(store, object, "a")).rejects.toMatchObject({ code: "STORE_CORRUPT" });
					await expect(updateManifest(store, object, { puts: [file("a")], removes: [] })).rejects.toMatchObject({
						code: "STORE_CORRUPT",
					});
				}
			});

			it("have the same address for the same files, whatever edits led there", async () => {
				const name = fc.constantFrom("a", "b", "c", "a.b", "__proto__", "é");
				const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
				const edits = fc.record({
					puts: fc.array(fc.tuple(path, fc.constantFrom("1", "2")), { maxLength: 5 }),
					removes: fc.array(path, { maxLength: 5 }),
				});
				await fc.assert(
					fc.asyncProperty(fc.array(edits, { minLength: 1, maxLength: 6 }), async (rounds) => {
						const files = new Map<string, ManifestFile>();
						let object: string | undefined;
						for (const { puts, removes } of rounds) {
							for (const one of removes) files.delete(one);
							for (const [one, content] of puts) files.set(one, file(one, content));
							object = await updateManifest(store, object, {
								puts: puts.map(([one, content]) => file(one, content)),
								removes,
							});
							expect(object).toBe(await build([...files.values()]));
						}
						const order = (a: ManifestFile, b: ManifestFile) =>
							Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
						expect(await list(object as string)).toEqual([...files.values()].sort(order));
					}),
					{ numRuns: 60 },
				);
			});
		});
	});
}
