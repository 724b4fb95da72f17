import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whether a process with this number exists (a zombie does). */
export function exists(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}

async function linux(pid: number): Promise<string | undefined> {
	const [stat, boot] = await Promise.all([
		readFile(`/proc/${pid}/stat`, "utf8"),
		readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
	]);
	// The name, in parentheses, may hold blanks and parentheses itself.
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	const [state, started] = [fields[0], fields[19]];
	return state === "Z" || state === "X" || started === undefined ? undefined : `${started}@${boot.trim()}`;
}

async function windows(pid: number): Promise<string | undefined> {
	const powershell = join(
		process.env.SystemRoot ?? "C:\\Windows",
		"System32",
		"WindowsPowerShell",
		"v1.0",
		"powershell.exe",
	);
	const script = `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`;
	const { stdout } = await run(powershell, ["-NoProfile", "-NonInteractive", "-Command", script], {
		windowsHide: true,
	});
	return stdout.trim() || undefined;
}

async function posix(pid: number): Promise<string | undefined> {
	const { stdout } = await run("ps", ["-p", String(pid), "-o", "stat=,lstart="], {
		env: { PATH: process.env.PATH, LC_ALL: "C" },
	});
	const [state, ...started] = stdout.trim().split(/\s+/);
	return state === undefined || state.startsWith("Z") || started.length === 0 ? undefined : started.join(" ");
}

/**
 * What tells a process from a later one with the same number: when it started. Undefined when it runs no more.
 * Numbers alone may not be trusted: a kill after a restart of the machine would hit somebody else.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
	if (!Number.isSafeInteger(pid) || pid <= 0 || !exists(pid)) return undefined;
	try {
		if (process.platform === "linux") return await linux(pid);
		if (process.platform === "win32") return await windows(pid);
		return await posix(pid);
	} catch {
		return undefined;
	}
}

/** Recorded where the platform does not tell when a process started (no /proc, no ps): then the number has to do. */
export const UNKNOWN_IDENTITY = "unknown";

/** Whether the very process that was recorded still runs. */
export async function isSameProcess(recorded: { pid: number; identity: string }): Promise<boolean> {
	if (recorded.identity === UNKNOWN_IDENTITY) return exists(recorded.pid);
	return (await processIdentity(recorded.pid)) === recorded.identity;
}
