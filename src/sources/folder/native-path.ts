import path from "node:path";
import process from "node:process";

/**
 * Paths as the system's calls take them. POSIX names are bytes and need not be UTF-8, so they are handled as bytes; Windows
 * names are text.
 */
export type NativePath = string | Buffer;

const WINDOWS = process.platform === "win32";

/** A relative path (bytes, `/` between) under a root. */
export function nativePath(root: string, relative: Buffer): NativePath {
	if (WINDOWS) return path.join(root, ...relative.toString("utf8").split("/"));
	if (relative.length === 0) return Buffer.from(root, "utf8");
	return Buffer.concat([Buffer.from(root.endsWith("/") ? root : `${root}/`, "utf8"), relative]);
}

/** A directory entry's name, or a link's target, as the bytes that Lode keeps. */
export function posixBytes(name: NativePath): Buffer {
	if (typeof name !== "string") return name;
	return Buffer.from(WINDOWS ? name.replaceAll("\\", "/") : name, "utf8");
}
