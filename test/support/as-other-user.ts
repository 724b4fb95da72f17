import { chmod } from "node:fs/promises";
import process from "node:process";

const NOBODY = 65_534;

/**
 * Runs `work` while `file` (or folder) cannot be read by this process. Root reads everything, so where the tests run as root the
 * process becomes another user for that time. Returns false, without running anything, where a system knows no such modes.
 */
export async function withUnreadable(file: string, work: () => Promise<void>): Promise<boolean> {
	if (process.platform === "win32" || process.seteuid === undefined || process.getuid === undefined) return false;
	const root = process.getuid() === 0;
	await chmod(file, 0o000);
	if (root) process.seteuid(NOBODY);
	try {
		await work();
	} finally {
		if (root) process.seteuid(0);
		await chmod(file, 0o755);
	}
	return true;
}
