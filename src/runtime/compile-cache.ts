import { lstatSync, mkdirSync, type Stats } from "node:fs";
import { join, resolve } from "node:path";
import envPaths from "env-paths";

/**
 * Where Node may keep compiled code between runs. What lies there is run as it is, unlike the sources that it is made of, so it has to be a
 * folder that only this user can write into: Node's own choice is a folder of the same name for everybody in the system's temporary
 * folder. Undefined where there is none.
 */
export function compileCache(cacheDir = process.env.LODE_CACHE_DIR): string | undefined {
	try {
		const folder = join(resolve(cacheDir || envPaths("lode", { suffix: "" }).cache), "compiled");
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		const found = lstatSync(folder);
		return found.isDirectory() && isOnlyOurs(found) ? folder : undefined;
	} catch {
		// Read-only, something else than a folder, or a user without a home: the start is slower, and works.
		return undefined;
	}
}

function isOnlyOurs({ uid, mode }: Pick<Stats, "uid" | "mode">): boolean {
	// Windows has neither; there the folder lies in the user's profile.
	return process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
}
