import type { EntityState } from "../domain/entities.js";
import type { Chunk, ChunkKind, MinedFile, Skip } from "../domain/mined-file.js";
import { uniqueSkips } from "./mine-file.js";
import { storableText } from "./storable-text.js";
import { uniteStates } from "./unite-states.js";

export interface Amendments {
	/** United with those of the file by key; what the miners found wins where the two differ. */
	readonly states?: readonly EntityState[];
	/** By ordinal; the text and its place stay as they are. */
	readonly chunks?: readonly { readonly ordinal: number; readonly kind?: ChunkKind; readonly symbol?: string }[];
	readonly skips?: readonly Skip[];
}

/** A mined file with what was found out after it was mined, in the same normal form. */
export function amendMinedFile(file: MinedFile, { states = [], chunks = [], skips = [] }: Amendments): MinedFile {
	const changes = new Map(chunks.map((chunk) => [chunk.ordinal, chunk]));
	const unitedSkips = skips.length === 0 ? file.skips : uniqueSkips([...file.skips, ...skips]);
	return {
		...file,
		chunks: file.chunks.map((chunk): Chunk => {
			const { kind = chunk.kind, symbol } = changes.get(chunk.ordinal) ?? {};
			return { ...chunk, kind, ...(symbol === undefined ? {} : { symbol: storableText(symbol) }) };
		}),
		states: uniteStates([...withReasons(file, unitedSkips), ...states]),
		skips: unitedSkips,
	};
}

/** The file's own state names the reasons of its skips. */
function withReasons({ path, states, skips: before }: MinedFile, skips: readonly Skip[]): readonly EntityState[] {
	if (skips === before) return states;
	const reasons = [...new Set(skips.map(({ reason }) => reason))].sort();
	return states.map((state) =>
		state.kind === "file" && state.props.path === path
			? { ...state, props: { ...state.props, skips: reasons } }
			: state,
	);
}
