import { posix } from "node:path";

/** Where a link of a document points: a file or folder of the same source, or somewhere outside. */
export type LinkTarget =
	| { readonly type: "path"; readonly path: string }
	| { readonly type: "url"; readonly url: string };

const MAX_LINK_LENGTH = 1_000;

/**
 * Resolves a link as GitHub does: relative to the document's folder, from the root where it begins with a slash, without query
 * and anchor. Undefined for links within the document, above the root, and schemes other than http and https.
 */
export function linkTarget(documentPath: string, url: string): LinkTarget | undefined {
	const link = url.trim();
	if (link === "" || link.length > MAX_LINK_LENGTH || link.startsWith("#")) return undefined;
	if (link.startsWith("//")) return externalUrl(`https:${link}`);
	if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return externalUrl(link);
	const bare = link.split(/[?#]/, 1)[0] ?? "";
	if (bare === "") return undefined;
	const decoded = decode(bare);
	if (decoded.includes("\0") || decoded.includes("\\")) return undefined;
	const folder = decoded.startsWith("/") ? "" : posix.dirname(documentPath);
	const path = posix.normalize(posix.join(folder, decoded)).replace(/^\/+|\/+$/g, "");
	if (path === ".." || path.startsWith("../")) return undefined;
	return { type: "path", path: path === "." ? "" : path };
}

function externalUrl(url: string): LinkTarget | undefined {
	if (!URL.canParse(url)) return undefined;
	const parsed = new URL(url);
	if (parsed.protocol !== "http:" && parsed.protocol !== "https:") return undefined;
	// Credentials in a link stay in the document: they are no property of the graph.
	parsed.username = "";
	parsed.password = "";
	return { type: "url", url: parsed.href };
}

function decode(path: string): string {
	try {
		return decodeURIComponent(path);
	} catch {
		return path;
	}
}
