import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** Where processes that were started with `reportingEnvironment` leave their peak when they end. */
const FOLDER = "BENCH_PEAK_MEMORY_FOLDER";

/** Environment for Node processes whose peak is to be known where there is no /proc: each loads this file and reports as it ends. */
export function reportingEnvironment(folder: string): Record<string, string> {
	return { [FOLDER]: folder, NODE_OPTIONS: `--import=${import.meta.url}` };
}

const folder = process.env[FOLDER];
if (folder !== undefined) {
	// maxRSS is in KiB on every platform.
	process.once("exit", () =>
		writeFileSync(join(folder, `${process.pid}.json`), `${process.resourceUsage().maxRSS * 1024}`),
	);
}

/** Bytes of memory that a running process had at most so far; undefined where the system does not say. */
export const peakOfRunning = (pid: number): Promise<number | undefined> => statusOf(pid, "VmHWM");
/** What it has now. */
export const residentOfRunning = (pid: number): Promise<number | undefined> => statusOf(pid, "VmRSS");

async function statusOf(pid: number, field: "VmHWM" | "VmRSS"): Promise<number | undefined> {
	try {
		const status = await readFile(`/proc/${pid}/status`, "utf8");
		const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
		return kib === undefined ? undefined : Number(kib) * 1024;
	} catch {
		return undefined;
	}
}

/** The same of a process that has ended and was started with `reportingEnvironment`. Undefined where it was killed. */
export async function peakOfEnded(reports: string, pid: number): Promise<number | undefined> {
	const text = await readFile(join(reports, `${pid}.json`), "utf8").catch(() => undefined);
	return text === undefined ? undefined : Number(text);
}
