import { Buffer, isUtf8 } from "node:buffer";

const NUL = 0;
const BACKSLASH = 0x5c;
const DOT = 0x2e;
const SLASH = 0x2f;
const ESCAPE = /\\x([0-9a-f]{2})/g;

/**
 * A path as text, without loss. Bytes that are not UTF-8 become `\xHH` (lower case), a literal backslash `\x5c`, and the dots of a
 * component `.` or `..`, which only a hostile tree holds, `\x2e`: so the text is never a way out of a folder. A NUL, which names of objects in a
 * lake may hold and few stores take, becomes `\x00`.
 */
export function encodePath(bytes: Uint8Array): string {
	const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (isUtf8(buffer) && !buffer.includes(BACKSLASH) && !buffer.includes(NUL) && !hasDotComponent(buffer))
		return buffer.toString("utf8");
	const parts: string[] = [];
	let start = 0;
	for (let at = 0; at <= buffer.length; at++) {
		if (at < buffer.length && buffer[at] !== SLASH) continue;
		parts.push(encodeComponent(buffer.subarray(start, at)));
		start = at + 1;
	}
	return parts.join("/");
}

/** The bytes that `encodePath` was given. Text that no `encodePath` made is taken as it is. */
export function decodePath(path: string): Buffer {
	if (!path.includes("\\")) return Buffer.from(path, "utf8");
	const parts: Buffer[] = [];
	let start = 0;
	for (const match of path.matchAll(ESCAPE)) {
		parts.push(
			Buffer.from(path.slice(start, match.index), "utf8"),
			Buffer.from([Number.parseInt(match[1] as string, 16)]),
		);
		start = match.index + match[0].length;
	}
	parts.push(Buffer.from(path.slice(start), "utf8"));
	return Buffer.concat(parts);
}

function hasDotComponent(path: Buffer): boolean {
	let start = 0;
	while (start <= path.length) {
		const slash = path.indexOf(SLASH, start);
		const end = slash === -1 ? path.length : slash;
		if (isDots(path.subarray(start, end))) return true;
		start = end + 1;
	}
	return false;
}

function isDots(component: Buffer): boolean {
	return component[0] === DOT && (component.length === 1 || (component.length === 2 && component[1] === DOT));
}

function encodeComponent(component: Buffer): string {
	if (isDots(component)) return "\\x2e".repeat(component.length);
	const parts: string[] = [];
	let start = 0;
	let at = 0;
	while (at < component.length) {
		const length = sequenceLength(component, at);
		if (length > 0) {
			at += length;
			continue;
		}
		parts.push(component.toString("utf8", start, at), `\\x${(component[at] as number).toString(16).padStart(2, "0")}`);
		at += 1;
		start = at;
	}
	parts.push(component.toString("utf8", start, at));
	return parts.join("");
}

/** Bytes of the valid UTF-8 sequence that starts there; 0 where the byte must be escaped. */
function sequenceLength(bytes: Buffer, at: number): number {
	const first = bytes[at] as number;
	if (first < 0x80) return first === BACKSLASH || first === NUL ? 0 : 1;
	const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	const end = at + length;
	return end <= bytes.length && isUtf8(bytes.subarray(at, end)) ? length : 0;
}
