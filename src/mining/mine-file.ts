import type { FileMode } from "../domain/commits.js";
import { canonicalJson, type JsonObject, sha256 } from "../domain/digest.js";
import type { EntityState } from "../domain/entities.js";
import type { Chunk, ChunkSettings, MinedFile, Skip } from "../domain/mined-file.js";
import { chunkFile, maxChunks } from "./chunking/chunk-file.js";
import { countLines } from "./chunking/line-index.js";
import { decodeFile, type LfsPointer, maxTextBytes } from "./decode.js";
import type { Extraction, Extractor, FileInput, Region } from "./extractor.js";
import { type FileFacts, fileStates } from "./file-states.js";
import { fileTypeOf, isBinaryLanguage, isDataLanguage, plainChunkKind } from "./languages.js";
import { minerVersion } from "./miner-version.js";
import { storableText } from "./storable-text.js";
import { EXTRACTORS } from "./table.js";
import { uniteStates } from "./unite-states.js";

/** Raise whenever the same bytes would give another mined file without a change of an extractor's version; `minerVersion` follows. */
export const CORE_VERSION = 1;
/** Bounds of what one extractor may state of one file. */
const MAX_STATES = 20_000;
const MAX_EDGES = 100_000;

export interface MineInput {
	readonly source: string;
	readonly path: string;
	/** Empty for submodules. */
	readonly bytes: Uint8Array;
	readonly mode: FileMode;
	/** Mined in place of what the bytes say; the bytes stay what is archived. */
	readonly text?: string;
	/** Becomes a property of the file. */
	readonly metadata?: JsonObject;
	/** What was found out before it was mined. */
	readonly skips?: readonly Skip[];
}

/**
 * The key of a mined file among the derived objects. Path and source are in it because the keys of entity states hold them; so a
 * rename mines again, but embeds nothing: text hashes of chunks know no path. `plugins`: name and version of those that see the file.
 */
export function minedKey(
	blobSha256: string,
	path: string,
	mode: FileMode,
	source: string,
	settings: ChunkSettings,
	plugins: readonly string[] = [],
): string {
	const { chunkSize, overlap } = settings;
	const inputs = [minerVersion, blobSha256, path, mode, source, chunkSize, overlap];
	// Without plugins the key is what it was before there were any.
	const hash = sha256(canonicalJson(plugins.length === 0 ? inputs : [...inputs, plugins]));
	return `mined/${hash.slice(0, 2)}/${hash}`;
}

/** Mines one file with every extractor that matches. Never throws: what cannot be mined is a skip. */
export function mineFile(input: MineInput, settings: ChunkSettings): Promise<MinedFile> {
	return mine(input, settings, EXTRACTORS);
}

/** Without extractors: the file, its text in plain chunks, and why. For files on which an extractor did not come to an end. */
export function minePlainly(input: MineInput, settings: ChunkSettings, skip: Skip): Promise<MinedFile> {
	return mine(input, settings, [], [skip]);
}

/** Without the content: for files that were not read (too large for memory, unreadable), or could not be mined at all. */
export function mineUnread(
	file: { source: string; path: string; mode: FileMode; artifact: string; size: number },
	...skips: readonly Skip[]
): MinedFile {
	const { language, mediaType = "application/octet-stream" } = fileTypeOf(file.path);
	return assemble({ ...file, language, mediaType, lines: 0, skips }, [], []);
}

async function mine(
	input: MineInput,
	settings: ChunkSettings,
	extractors: readonly Extractor[],
	given: readonly Skip[] = [],
): Promise<MinedFile> {
	const { source, path, bytes, mode } = input;
	const artifact = sha256(bytes);
	const { metadata } = input;
	const facts = {
		source,
		path,
		mode,
		artifact,
		size: bytes.byteLength,
		...(metadata === undefined ? {} : { metadata }),
	};
	if (mode === "submodule") {
		const skips: Skip[] = [{ reason: "submodule", detail: "the content lies in another repository" }];
		return assemble(
			{ ...facts, language: undefined, mediaType: "application/x-git-submodule", lines: 0, skips },
			[],
			[],
		);
	}
	if (mode === "symlink") {
		const target = new TextDecoder().decode(bytes.subarray(0, 4096));
		const skips: Skip[] = [{ reason: "symlink", detail: "a link is not followed" }];
		return assemble({ ...facts, language: undefined, mediaType: "inode/symlink", lines: 0, skips, target }, [], []);
	}

	const content = input.text === undefined ? readText(path, bytes) : givenText(path, input.text);
	const { language, text } = content;
	const skips = [...given, ...(input.skips ?? []), ...content.skips];
	const states: EntityState[] = [];
	let regions: readonly Region[] = [];
	if (text !== undefined || content.isData) {
		const mined = input.text === undefined ? bytes : Buffer.from(input.text);
		const fileInput: FileInput = { source, path, bytes: mined, text, language, settings };
		for (const extractor of extractors) {
			const extraction = await run(extractor, fileInput);
			if (extraction === undefined) continue;
			states.push(...extraction.states);
			skips.push(...extraction.skips);
			if (regions.length === 0) regions = extraction.regions;
		}
	}
	const { chunks, omittedFrom } =
		text === undefined
			? { chunks: [], omittedFrom: undefined }
			: chunkFile(text, regions, plainChunkKind(language), settings);
	if (omittedFrom !== undefined) {
		skips.push({ reason: "too_large", detail: `more than ${maxChunks} chunks: none from line ${omittedFrom} on` });
	}
	const lines = text === undefined ? 0 : countLines(text);
	const { mediaType, lfs } = content;
	return assemble(
		{ ...facts, language, mediaType, lines, skips, ...(lfs === undefined ? {} : { lfs }) },
		chunks,
		states,
	);
}

interface Content {
	readonly language: string | undefined;
	readonly mediaType: string;
	readonly text: string | undefined;
	readonly skips: readonly Skip[];
	/** Rows for the dataset extractor, though there may be no text. */
	readonly isData: boolean;
	readonly lfs?: LfsPointer;
}

function givenText(path: string, text: string): Content {
	const { language, mediaType = "text/plain" } = fileTypeOf(path, text.slice(0, 200));
	return { language, mediaType, text, skips: [], isData: isDataLanguage(language) };
}

function readText(path: string, bytes: Uint8Array): Content {
	const byPath = fileTypeOf(path);
	const decoded = decodeFile(bytes);
	if (decoded.text !== undefined) {
		const { language, mediaType = "text/plain" } = fileTypeOf(path, decoded.text.slice(0, 200));
		return { language, mediaType, text: decoded.text, skips: [], isData: isDataLanguage(language) };
	}
	const { language, mediaType = "application/octet-stream" } = byPath;
	const { skip, lfs } = decoded;
	if (skip.reason === "too_large" && isDataLanguage(language)) {
		const detail = `rows are read, text of more than ${maxTextBytes} bytes is not chunked`;
		return { language, mediaType, text: undefined, skips: [{ reason: "too_large", detail }], isData: true };
	}
	// A Parquet file is meant to be binary; anything else of that name (an LFS pointer) is not one.
	if (isBinaryLanguage(language) && skip.reason !== "lfs_pointer") {
		return { language, mediaType, text: undefined, skips: [], isData: true };
	}
	return { language, mediaType, text: undefined, skips: [skip], isData: false, ...(lfs === undefined ? {} : { lfs }) };
}

async function run(extractor: Extractor, input: FileInput): Promise<Extraction | undefined> {
	try {
		if (!extractor.matches(input)) return undefined;
		const extraction = await extractor.extract(input);
		const edges = extraction.states.reduce((sum, state) => sum + state.edges.length + state.provides.length, 0);
		if (extraction.states.length <= MAX_STATES && edges <= MAX_EDGES) return extraction;
		const detail = `${extractor.name}: ${extraction.states.length} entities with ${edges} edges are too many for one file`;
		return { states: [], regions: extraction.regions, skips: [...extraction.skips, { reason: "parse", detail }] };
	} catch (error) {
		// Not its message: skips are part of the digest, and messages may name addresses or temporary files.
		const name = error instanceof Error ? error.name : "unknown";
		return { states: [], regions: [], skips: [{ reason: "parse", detail: `${extractor.name}: failed with ${name}` }] };
	}
}

function assemble(facts: FileFacts, chunks: readonly Chunk[], states: readonly EntityState[]): MinedFile {
	const skips = uniqueSkips(facts.skips);
	const { path, artifact, size, mediaType, language, lines } = facts;
	return {
		path,
		artifact,
		size,
		mediaType,
		...(language === undefined ? {} : { language }),
		lines,
		chunks,
		states: uniteStates([...fileStates({ ...facts, skips }), ...states]),
		skips,
	};
}

export function uniqueSkips(skips: readonly Skip[]): Skip[] {
	const byText = new Map<string, Skip>();
	for (const { reason, detail } of skips) {
		const skip: Skip = { reason, detail: storableText(detail.slice(0, 300)) };
		byText.set(`${reason} ${skip.detail}`, skip);
	}
	return [...byText].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, skip]) => skip);
}
