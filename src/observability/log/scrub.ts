import { redact } from "../../config/secret.js";

/** What looks like a secret, whoever wrote it: in an address, in a header, in a query. What stands before it stays. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
	// Some put a token where a user's name would be.
	[/\b(https?:\/\/)[^\s/@"'<>]{1,1000}@/gi, "$1[secret]@"],
	[/\b([a-z][a-z0-9+.-]{1,30}:\/\/[^\s/@:"'<>]{0,200}):[^\s/@"'<>]{1,1000}@/gi, "$1:[secret]@"],
	[/\b(authorization\\*["']?\s{0,3}[:=]\s{0,3}\\*["']?)[^"',;\r\n\\]{1,4000}/gi, "$1[secret]"],
	// A word of small letters is a word: "token expired".
	[/\b([Bb]earer|[Bb]asic|[Tt]oken)\s+(?=[a-z.~/_-]*[0-9A-Z+=])[\w.~+/=-]{6,}/g, "$1 [secret]"],
	[
		/([?&;](?:access_token|auth|token|private_token|key|api_?key|secret|client_secret|password|sig|signature|x-amz-[a-z-]+)=)[^&\s"'<>]+/gi,
		"$1[secret]",
	],
];

/** The last guard of logs and traces: takes out the secrets that this process knows, and what looks like one of somebody else. */
export function scrub(text: string): string {
	let result = redact(text);
	for (const [shape, instead] of SHAPES) result = result.replace(shape, instead);
	return result;
}
