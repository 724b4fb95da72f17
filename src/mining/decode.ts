import type { Skip } from "../domain/mined-file.js";

/** Bytes. Larger text is archived only: it is generated nearly always, and would drown everything else in search. */
export const maxTextBytes = 8 * 1024 * 1024;

/** A git LFS pointer is at most this long (git-lfs docs/spec.md). */
const LFS_POINTER_BYTES = 1024;
const LFS_PREFIX = "version https://git-lfs.github.com/spec/v1\n";
const BINARY_PROBE_BYTES = 8 * 1024;

export interface LfsPointer {
	/** `sha256:<64 hex digits>` as the pointer says. */
	readonly oid: string;
	/** Bytes of the content that it stands for. */
	readonly size: number;
}

export type Decoded =
	| { readonly text: string; readonly skip?: undefined }
	| { readonly text: undefined; readonly skip: Skip; readonly lfs?: LfsPointer };

const skipped = (reason: Skip["reason"], detail: string): Decoded => ({ text: undefined, skip: { reason, detail } });

/**
 * Text of a file: UTF-8 (strict), or UTF-16 where a byte order mark says so; the mark is removed, line ends are kept.
 * Anything else is a reason why the whole file is archived only. What git calls binary is binary here (a NUL in the
 * first 8 KiB), and so is a NUL further on, because no database column takes one.
 */
export function decodeFile(bytes: Uint8Array): Decoded {
	const mark = utf16Mark(bytes);
	if (mark === undefined) {
		const nul = bytes.subarray(0, BINARY_PROBE_BYTES).indexOf(0);
		if (nul >= 0) return skipped("binary", "NUL byte in the first 8 KiB");
	}
	if (bytes.byteLength > maxTextBytes) {
		return skipped("too_large", `${bytes.byteLength} bytes of text, the limit is ${maxTextBytes}`);
	}
	if (mark === undefined && bytes.indexOf(0) >= 0) return skipped("binary", "NUL byte");
	let text: string;
	try {
		text = new TextDecoder(mark ?? "utf-8", { fatal: true }).decode(bytes);
	} catch {
		return skipped("encoding", `not valid ${(mark ?? "utf-8").toUpperCase()}`);
	}
	if (mark !== undefined && text.includes("\0")) return skipped("binary", "NUL character");
	const lfs = lfsPointer(text);
	if (lfs !== undefined) {
		return { text: undefined, lfs, skip: { reason: "lfs_pointer", detail: `${lfs.oid}, ${lfs.size} bytes` } };
	}
	return { text };
}

function utf16Mark(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
	// FF FE 00 00 is UTF-32, which nobody decodes: left to the NUL probe.
	if (bytes[0] === 0xff && bytes[1] === 0xfe && !(bytes[2] === 0 && bytes[3] === 0)) return "utf-16le";
	if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
	return undefined;
}

function lfsPointer(text: string): LfsPointer | undefined {
	if (text.length > LFS_POINTER_BYTES || !text.startsWith(LFS_PREFIX)) return undefined;
	const oid = /^oid (sha256:[0-9a-f]{64})$/m.exec(text)?.[1];
	const size = /^size (\d{1,15})$/m.exec(text)?.[1];
	return oid === undefined || size === undefined ? undefined : { oid, size: Number(size) };
}
