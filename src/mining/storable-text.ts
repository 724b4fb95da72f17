/** Text that every store takes: lone surrogates and NUL (escapes in JSON and YAML bring them in) become U+FFFD. */
export function storableText(text: string): string {
	return text.isWellFormed() && !text.includes("\0") ? text : text.replace(/\p{Cs}|\0/gu, "\uFFFD");
}
