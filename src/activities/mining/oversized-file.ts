import { lookup } from "mime-types";
import type { FileEntry } from "../../domain/commits.js";
import type { MinedFile } from "../../domain/mined-file.js";
import { fileStates } from "../../mining/file-states.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";

const detailOf = (size: number): string => `${size} bytes: archived, not mined`;

/** Whether a mined file was left out as too large, rather than mined with parts left out. */
export function isOversized({ size, skips }: MinedFile): boolean {
	return skips.some(({ reason, detail }) => reason === "too_large" && detail === detailOf(size));
}

/** A file beyond the size limit: archived as a stream, in the graph as a file, with the reason; never read into memory. */
export async function oversizedFile(
	artifacts: Pick<ArtifactStore, "putStream">,
	content: AsyncIterable<Uint8Array>,
	source: string,
	file: FileEntry,
): Promise<MinedFile> {
	const { object, size } = await artifacts.putStream(content);
	const mediaType = lookup(file.path) || "application/octet-stream";
	const skips = [{ reason: "too_large", detail: detailOf(size) }] as const;
	return {
		path: file.path,
		artifact: object,
		size,
		mediaType,
		lines: 0,
		chunks: [],
		states: fileStates({
			source,
			path: file.path,
			mode: file.mode,
			artifact: object,
			mediaType,
			language: undefined,
			size,
			lines: 0,
			skips,
		}),
		skips,
	};
}
