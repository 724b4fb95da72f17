/** Descriptions and comments are properties of graph nodes, not documents: the text itself is indexed as chunks. */
const MAX_PROPERTY_LENGTH = 500;

/** White space collapsed at the ends, cut at 500 characters without splitting a surrogate pair; undefined when empty. */
export function propertyText(text: string, limit: number = MAX_PROPERTY_LENGTH): string | undefined {
	const trimmed = text.trim();
	if (trimmed === "") return undefined;
	if (trimmed.length <= limit) return trimmed;
	const cut = trimmed.slice(0, limit - 1);
	return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** A URL or version range without the `user:password@` that some people leave in manifests. */
export function withoutCredentials(text: string): string {
	return text.replace(/:\/\/[^/@\s]{1,500}@/g, "://");
}
