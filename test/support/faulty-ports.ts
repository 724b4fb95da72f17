import { tmpdir } from "node:os";
import type { Ports } from "../../src/activities/ports.js";
import { LodeError } from "../../src/domain/errors.js";
import { roomOn } from "../../src/runtime/disk-room.js";
import type { SourceAdapter } from "../../src/sources/source.port.js";

/** The same object, but for some of its methods. */
export function replacing<T extends object>(target: T, overrides: Partial<T>): T {
	return new Proxy(target, {
		get(object, name) {
			if (name in overrides) return overrides[name as keyof T];
			const value: unknown = Reflect.get(object, name, object);
			return typeof value === "function" ? value.bind(object) : value;
		},
	});
}

/** Whether a fault strikes now, and how often it did. */
export class Switch {
	on = true;
	hits = 0;

	strikes(): boolean {
		if (this.on) this.hits += 1;
		return this.on;
	}
}

export interface Fault {
	readonly name: string;
	/** The code that the user gets. */
	readonly code: string;
	readonly message: RegExp;
	wrap(ports: Ports, fault: Switch): Ports;
}

const NEXT = "repair it, then: lode retry";
const broken = (code: ConstructorParameters<typeof LodeError>[0], message: string) =>
	new LodeError(code, message, { next: NEXT });

/** Each makes one step fail for good, at the worst moment: after it wrote, where it writes. */
export const FAULTS: readonly Fault[] = [
	{
		name: "the graph fails after it wrote",
		code: "STORE_CORRUPT",
		message: /graph broke/,
		wrap: (ports, fault) => ({
			...ports,
			graph: replacing(ports.graph, {
				async stage(seq, records) {
					await ports.graph.stage(seq, records);
					if (fault.strikes()) throw broken("STORE_CORRUPT", "the graph broke");
				},
			}),
		}),
	},
	{
		name: "the vectors fail after they wrote",
		code: "STORE_CORRUPT",
		message: /vectors broke/,
		wrap: (ports, fault) => ({
			...ports,
			vectors: replacing(ports.vectors, {
				async stage(seq, records) {
					await ports.vectors.stage(seq, records);
					if (fault.strikes()) throw broken("STORE_CORRUPT", "the vectors broke");
				},
			}),
		}),
	},
	{
		name: "the archive takes no bytes",
		code: "PERMISSION_DENIED",
		message: /archive is read-only/,
		wrap: (ports, fault) => ({
			...ports,
			artifacts: replacing(ports.artifacts, {
				async put(objects) {
					if (fault.strikes()) throw broken("PERMISSION_DENIED", "the archive is read-only");
					return ports.artifacts.put(objects);
				},
			}),
		}),
	},
	{
		name: "the archive fails after it wrote the manifest's root",
		code: "STORE_CORRUPT",
		message: /root broke/,
		wrap: (ports, fault) => ({
			...ports,
			artifacts: replacing(ports.artifacts, {
				async stageRoot(seq, root) {
					await ports.artifacts.stageRoot(seq, root);
					if (fault.strikes()) throw broken("STORE_CORRUPT", "the root broke");
				},
			}),
		}),
	},
	{
		name: "the catalog fails after it recorded a batch",
		code: "STORE_CORRUPT",
		message: /catalog broke/,
		wrap: (ports, fault) => ({
			...ports,
			catalog: replacing(ports.catalog, {
				async recordBatch(seq, record) {
					await ports.catalog.recordBatch(seq, record);
					if (fault.strikes()) throw broken("STORE_CORRUPT", "the catalog broke");
				},
			}),
		}),
	},
	{
		name: "the source breaks off half-way",
		code: "REPOSITORY_UNREADABLE",
		message: /object is damaged/,
		wrap: (ports, fault) => ({
			...ports,
			sources: {
				of(kind) {
					const adapter = ports.sources.of(kind);
					return replacing<SourceAdapter>(adapter, {
						async *read(source, commit, files, options) {
							let given = 0;
							for await (const item of adapter.read(source, commit, files, options)) {
								if (given++ > 0 && fault.strikes()) throw broken("REPOSITORY_UNREADABLE", "an object is damaged");
								yield item;
							}
						},
					});
				},
			},
		}),
	},
	{
		name: "the embedding provider refuses",
		code: "EMBEDDING_FAILED",
		message: /model is gone/,
		wrap: (ports, fault) => ({
			...ports,
			provider: async (model) => {
				const provider = await ports.provider(model);
				return replacing(provider, {
					async embed(texts, signal) {
						if (fault.strikes()) throw broken("EMBEDDING_FAILED", "the model is gone");
						return provider.embed(texts, signal);
					},
				});
			},
		}),
	},
	{
		name: "the link step cannot ask the graph",
		code: "STORE_CORRUPT",
		message: /candidates broke/,
		wrap: (ports, fault) => ({
			...ports,
			graph: replacing(ports.graph, {
				async candidates(...given) {
					if (fault.strikes()) throw broken("STORE_CORRUPT", "candidates broke");
					return ports.graph.candidates(...given);
				},
			}),
		}),
	},
	{
		name: "the graph loses a record and says nothing",
		code: "VERIFICATION_FAILED",
		message: /^graph: added .*first at \w+:/,
		wrap: (ports, fault) => ({
			...ports,
			graph: replacing(ports.graph, {
				stage: (seq, given) => {
					const records = [...given];
					return ports.graph.stage(seq, records.length > 1 && fault.strikes() ? records.slice(1) : records);
				},
			}),
		}),
	},
	{
		name: "the vectors lose a record and say nothing",
		code: "VERIFICATION_FAILED",
		message: /^vectors: added .*first at \w+:/,
		wrap: (ports, fault) => ({
			...ports,
			vectors: replacing(ports.vectors, {
				stage: (seq, records) => ports.vectors.stage(seq, fault.strikes() ? records.slice(1) : records),
			}),
		}),
	},
	{
		name: "the archive loses bytes and says nothing",
		code: "VERIFICATION_FAILED",
		message: /^artifacts: .* is not archived/,
		wrap: (ports, fault) => ({
			...ports,
			artifacts: replacing(ports.artifacts, {
				async put(objects) {
					// Manifests are JSON: only a file's bytes get lost.
					const at = objects.findIndex((bytes) => Buffer.from(bytes).toString().includes("lost in"));
					if (at < 0 || !fault.strikes()) return ports.artifacts.put(objects);
					const addresses = await ports.artifacts.put(objects.filter((_, index) => index !== at));
					const { createHash } = await import("node:crypto");
					const lost = createHash("sha256")
						.update(objects[at] as Uint8Array)
						.digest("hex");
					return addresses.toSpliced(at, 0, lost);
				},
			}),
		}),
	},
	{
		name: "the catalog loses an entry and says nothing",
		code: "VERIFICATION_FAILED",
		message: /^graph: added /,
		wrap: (ports, fault) => ({
			...ports,
			catalog: replacing(ports.catalog, {
				recordBatch: (seq, record) =>
					ports.catalog.recordBatch(
						seq,
						record.entries.length > 1 && fault.strikes() ? { ...record, entries: record.entries.slice(1) } : record,
					),
			}),
		}),
	},
	{
		name: "the disk fills up",
		code: "DISK_FULL",
		message: /^the disk .* needed to go on$/,
		// Every disk has less than that: the real question is asked.
		wrap: (ports, fault) => ({
			...ports,
			ensureRoom: (bytes) =>
				bytes !== undefined && fault.strikes() ? roomOn(tmpdir(), 2 ** 50)(bytes) : Promise.resolve(),
		}),
	},
	{
		name: "publish fails",
		code: "INTERNAL",
		message: /publish broke/,
		wrap: (ports, fault) => ({
			...ports,
			catalog: replacing(ports.catalog, {
				async publish(seq, stats) {
					if (fault.strikes()) throw broken("INTERNAL", "publish broke");
					return ports.catalog.publish(seq, stats);
				},
			}),
		}),
	},
];
