import { Context } from "@temporalio/activity";
import type { Change, FileEntry } from "../../domain/commits.js";
import type { MinedFile, Skip } from "../../domain/mined-file.js";
import { minedKey } from "../../mining/mine-file.js";
import { decodeMinedFile, encodeMinedFile } from "../../mining/mined-file-codec.js";
import type { BatchActivities } from "../activity-types.js";
import type { BatchReader } from "../batch-records.js";
import { BatchArchive } from "../batches.js";
import { openIngestion } from "../planning/open-ingestion.js";
import type { PreparedSources } from "../planning/prepared-sources.js";
import type { Ports } from "../ports.js";
import { isOversized, oversizedFile } from "./oversized-file.js";

/** Archives and mines the files of a batch. Bytes and mined files carry no seq: only references to them do. */
export function createMiningActivities(
	ports: Pick<Ports, "catalog" | "plugins" | "artifacts" | "miner" | "limits" | "ensureRoom">,
	prepared: PreparedSources,
	reader: Pick<BatchReader, "remember">,
): Pick<BatchActivities, "mineBatch"> {
	const { artifacts } = ports;
	const archive = new BatchArchive(artifacts);

	return {
		async mineBatch(ref) {
			const { seq, index } = ref;
			const { ingestion, group } = await openIngestion(ports, seq);
			const context = Context.current();
			const { source, adapter } = await prepared.of(
				ingestion,
				(done) => context.heartbeat(done),
				context.cancellationSignal,
			);
			const batch = await archive.batch(seq, index);
			const changes: readonly Change[] = batch.kind === "files" ? batch.changes : [];
			const files = changes.filter((change) => change.type !== "removed").map((change) => change.file);
			const settings = { chunkSize: group.indexing.chunkSize, overlap: group.indexing.overlap };
			const keys = new Map<FileEntry, string>();
			const keyOf = (file: FileEntry): string => {
				const known = keys.get(file);
				if (known !== undefined) return known;
				const key = minedKey(
					`${source.kind}:${file.blob}`,
					file.path,
					file.mode,
					source.id,
					settings,
					ports.plugins?.of(file.path),
				);
				keys.set(file, key);
				return key;
			};

			const minedByPath = new Map<string, MinedFile>();
			for (const { file, mined } of await reusable(files, keyOf)) minedByPath.set(file.path, mined);

			const { cancellationSignal } = context;
			const fresh = files.filter((file) => !minedByPath.has(file.path));
			const readable: { file: FileEntry; bytes: Uint8Array }[] = [];
			await ports.ensureRoom?.(fresh.reduce((sum, { size }) => sum + size, 0));
			const options = { maxBytes: ports.limits.maxFileBytes, signal: cancellationSignal };
			for await (const { file, bytes } of adapter.read(source, ingestion.commit, fresh, options)) {
				if (bytes !== undefined) readable.push({ file, bytes });
				else if (file.mode === "submodule") readable.push({ file, bytes: new Uint8Array() });
				else
					minedByPath.set(
						file.path,
						await oversizedFile(artifacts, await adapter.stream(source, ingestion.commit, file), source.id, file),
					);
			}
			// The bytes first: a mined file must never outlive a crash that its artifact did not.
			await artifacts.put(readable.filter(({ file }) => file.mode !== "submodule").map(({ bytes }) => bytes));
			const mined = await ports.miner.mine(
				readable.map(({ file, bytes }) => ({ source: source.id, path: file.path, mode: file.mode, bytes })),
				settings,
				cancellationSignal,
			);
			for (const file of mined) minedByPath.set(file.path, file);

			const listed = files.map((file) => ({ file, mined: keyOf(file) }));
			await Promise.all(
				fresh.map((file) =>
					artifacts.putDerived(keyOf(file), encodeMinedFile(minedByPath.get(file.path) as MinedFile)),
				),
			);
			await archive.putMined(seq, index, { files: listed });
			cancellationSignal.throwIfAborted();
			reader.remember(ref, changes, { files: listed }, (file) => minedByPath.get(file.path) as MinedFile);
			const all = [...minedByPath.values()];
			return {
				files: files.length,
				failed: all.filter((file) => file.skips.some(isFailure)).length,
				chunks: all.reduce((sum, file) => sum + file.chunks.length, 0),
			};
		},
	};

	/** Files that were mined before and whose bytes are still archived (and are renewed by being asked for). */
	async function reusable(files: readonly FileEntry[], keyOf: (file: FileEntry) => string) {
		const found = await Promise.all(
			files.map(async (file) => {
				const bytes = await artifacts.getDerived(keyOf(file));
				const mined = bytes && decodeMinedFile(bytes);
				// The limit is a setting: what was left out under a lower one is mined now, and the reverse.
				// Why a plugin failed may be gone, and its version the same.
				if (!mined || mined.skips.some(({ reason }) => reason === "plugin")) return undefined;
				return isOversized(mined) === file.size > ports.limits.maxFileBytes ? { file, mined } : undefined;
			}),
		);
		const known = found.filter((entry) => entry !== undefined);
		const missing = new Set(
			await artifacts.missing(known.filter(({ file }) => file.mode !== "submodule").map(({ mined }) => mined.artifact)),
		);
		return known.filter(({ mined }) => !missing.has(mined.artifact));
	}
}

/** A file counts as failed when something of it should have been mined and was not; being binary is no failure. */
function isFailure(skip: Skip): boolean {
	return ["parse", "timeout", "unreadable", "plugin"].includes(skip.reason);
}
