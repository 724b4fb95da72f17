import type { z } from "zod";
import { sha256 } from "../domain/digest.js";
import type { MinedFile, Skip } from "../domain/mined-file.js";
import { amendMinedFile } from "../mining/amend-mined-file.js";
import { fileTypeOf } from "../mining/languages.js";
import { type MineInput, mineUnread } from "../mining/mine-file.js";
import type { MiningPool } from "../mining/mining-pool.js";
import { storableText } from "../mining/storable-text.js";
import type { LoadedPlugin } from "./hook-threads.js";
import { fileChange, indexedFileChange } from "./indexing-answers.js";
import { having, type Plugins, seesPath } from "./load-plugins.js";
import type { FileToIndex, IndexedFile } from "./plugin.js";

/** A hook that does not come to an end is tried once more: equal input has to give equal records. */
const TRIES = 2;

/** What became of a file so far: still to be mined, or decided. */
type Before = { readonly input: MineInput } | { readonly decided: MinedFile };

/** Mines with the indexing hooks of plugins around it; the same pool where there are none. */
export function withIndexingHooks(pool: MiningPool, { plugins, threads, close }: Plugins): MiningPool {
	const indexing = having(plugins, "beforeIndexing", "afterIndexing").map((plugin) => ({
		plugin,
		sees: seesPath(plugin),
	}));
	return {
		async mine(input, settings, signal) {
			const seeing = indexing.filter(({ sees }) => sees(input.path)).map(({ plugin }) => plugin);
			const isContent = input.mode === "file" || input.mode === "executable";
			if (seeing.length === 0 || !isContent) return pool.mine(input, settings, signal);
			const before = await runBefore(input, having(seeing, "beforeIndexing"), signal);
			if ("decided" in before) return before.decided;
			const mined = await pool.mine(before.input, settings, signal);
			return runAfter(before.input, mined, having(seeing, "afterIndexing"), signal);
		},
		async close() {
			await Promise.all([pool.close(), close()]);
		},
	};

	async function runBefore(input: MineInput, of: readonly LoadedPlugin[], signal?: AbortSignal): Promise<Before> {
		let current = input;
		const { source, path } = input;
		for (const plugin of of) {
			const { text, metadata = {} } = current;
			const { language } = fileTypeOf(path, text);
			// A copy: bytes often lie in the buffer of a whole batch, and all of it would cross.
			const bytes = new Uint8Array(input.bytes);
			const file: FileToIndex = { source, path, language, bytes, metadata, ...(text === undefined ? {} : { text }) };
			const answer = await threads.run(plugin, "beforeIndexing", file, fileChange, { tries: TRIES, signal });
			if ("failure" in answer) {
				const skip = failureOf(plugin, "beforeIndexing", answer.failure);
				const skips = [...(current.skips ?? []), skip];
				if (plugin.onFailure === "fail") return { decided: unmined(current, skips) };
				current = { ...current, skips };
				continue;
			}
			const { value: change } = answer;
			if (change === null) continue;
			if (change.skip !== undefined) {
				const excluded: Skip = { reason: "excluded", detail: `${plugin.name}: ${change.skip}` };
				return { decided: unmined(current, [...(current.skips ?? []), excluded]) };
			}
			current = {
				...current,
				...(change.text === undefined ? {} : { text: storableText(change.text) }),
				...(change.metadata === undefined ? {} : { metadata: { ...current.metadata, ...change.metadata } }),
			};
		}
		return { input: current };
	}

	async function runAfter(
		input: MineInput,
		mined: MinedFile,
		of: readonly LoadedPlugin[],
		signal?: AbortSignal,
	): Promise<MinedFile> {
		const { source, metadata = {} } = input;
		let current = mined;
		for (const plugin of of) {
			const { path, language, mediaType, lines, chunks, states: entities, skips } = current;
			const file: IndexedFile = { source, path, language, mediaType, lines, metadata, chunks, entities, skips };
			const answer = await threads.run(plugin, "afterIndexing", file, indexedFileChange(input), {
				tries: TRIES,
				signal,
			});
			const problem = "failure" in answer ? answer.failure : contradiction(current, answer.value);
			if (problem !== undefined) {
				const skip = failureOf(plugin, "afterIndexing", problem);
				if (plugin.onFailure === "fail") return unmined(input, [...current.skips, skip]);
				current = amendMinedFile(current, { skips: [skip] });
			} else if ("value" in answer && answer.value !== null) {
				const states = answer.value.entities.map((entity) => ({ ...entity, provides: [] }));
				current = amendMinedFile(current, { states, chunks: answer.value.chunks });
			}
		}
		return current;
	}
}

type Change = z.output<ReturnType<typeof indexedFileChange>>;

/** What only shows beside the file: chunks that are not there, or another kind for a key that it has. */
function contradiction(file: MinedFile, change: Change): string | undefined {
	if (change === null) return undefined;
	if (change.chunks.some(({ ordinal }) => ordinal >= file.chunks.length))
		return "named chunks that the file does not have";
	const kinds = new Map(file.states.map(({ key, kind }) => [key, kind]));
	const other = change.entities.some(({ key, kind }) => (kinds.get(key) ?? kind) !== kind);
	return other ? "gave an entity of the file another kind" : undefined;
}

function failureOf({ name }: LoadedPlugin, hook: string, failure: string): Skip {
	return { reason: "plugin", detail: `${name}: ${hook} ${failure}` };
}

function unmined({ source, path, mode, bytes }: MineInput, skips: readonly Skip[]): MinedFile {
	return mineUnread({ source, path, mode, artifact: sha256(bytes), size: bytes.byteLength }, ...skips);
}
