/** A target as a message may show it: without credentials and control characters, and short. */
export function describeTarget(target: string): string {
	const printable = target.replace(/\p{Cc}/gu, "?").slice(0, 300);
	return printable === "" ? "an empty target" : printable.replace(/(:\/\/)[^/]*@/g, "$1").replace(/[?#].*$/, "");
}
