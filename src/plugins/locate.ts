import { existsSync, readFileSync, statSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { LodeError } from "../domain/errors.js";

/**
 * The module that an entry of LODE_PLUGINS means: a file, a folder with a package.json, or the name of a package, which is looked for from
 * `home` upwards and then beside Lode itself. @throws CONFIG_INVALID
 */
export function locatePlugin(entry: string, home: string): string {
	if (!isAbsolute(entry)) {
		const found = [pathToFileURL(join(home, "x")).href, import.meta.url]
			.map((base) => packageOf(entry, base))
			.find(Boolean);
		if (found !== undefined) return moduleOf(dirname(found), entry);
		throw unusable(
			entry,
			"there is no such package",
			`Install it beside ${home}, or give the path of a file or folder.`,
		);
	}
	if (!existsSync(entry)) throw unusable(entry, "there is no such file or folder");
	return statSync(entry).isDirectory() ? moduleOf(entry, entry) : pathToFileURL(entry).href;
}

function packageOf(name: string, base: string): string | undefined {
	try {
		return findPackageJSON(name, base);
	} catch {
		return undefined;
	}
}

interface PackageJson {
	readonly main?: unknown;
	readonly exports?: unknown;
}

function moduleOf(folder: string, entry: string): string {
	const file = join(folder, "package.json");
	let found: PackageJson = {};
	try {
		if (existsSync(file)) found = JSON.parse(readFileSync(file, "utf8")) as PackageJson;
	} catch {
		throw unusable(entry, "its package.json does not hold JSON");
	}
	const root = isRecord(found.exports) ? (found.exports["."] ?? found.exports) : found.exports;
	const exported = isRecord(root) ? (root.import ?? root.default) : root;
	const main = [exported, found.main, "index.js"].find((one): one is string => typeof one === "string") as string;
	const url = new URL(main, `${pathToFileURL(folder).href}/`);
	if (!existsSync(fileURLToPath(url))) throw unusable(entry, `${main} is not there`);
	return url.href;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

export function unusable(entry: string, why: string, next = "Correct LODE_PLUGINS, or take it out."): LodeError {
	return new LodeError("CONFIG_INVALID", `LODE_PLUGINS: ${entry}: ${why}`, { next });
}
