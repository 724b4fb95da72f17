import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface SmallDisk {
	readonly path: string;
	remove(): Promise<void>;
}

/** A file system of its own with that many bytes, at an empty folder; undefined where the system or the user cannot mount one. */
export async function smallDisk(bytes: number, at?: string): Promise<SmallDisk | undefined> {
	if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
	const path = at ?? (await mkdtemp(join(tmpdir(), "lode-small-disk-")));
	try {
		await run("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "lode-test", path]);
	} catch {
		// In a container root may not mount.
		await rm(path, { recursive: true, force: true });
		return undefined;
	}
	return {
		path,
		async remove() {
			// Lazily: a process of the test may need a moment to let go of it.
			await run("umount", ["-l", path]);
			await rm(path, { recursive: true, force: true });
		},
	};
}
