import { readdir, readFile } from "node:fs/promises";

/** What Linux counts processor time in; the same on every platform that Node runs on. */
const TICKS_A_SECOND = 100;

/** Seconds of processor that a running process, and its ended children, had so far; undefined where the system does not say. */
export async function processorSeconds(pid: number, { children = true } = {}): Promise<number | undefined> {
	try {
		const stat = await readFile(`/proc/${pid}/stat`, "utf8");
		return secondsOf(stat, children ? 4 : 2);
	} catch {
		return undefined;
	}
}

/** The same by thread of the process, the busiest first. Threads that have ended are missing. */
export async function processorSecondsByThread(pid: number): Promise<readonly { name: string; seconds: number }[]> {
	const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
	const found = await Promise.all(
		threads.map(async (thread) => {
			const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, "utf8").catch(() => "");
			const name = `${stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"))}${thread === String(pid) ? " (main)" : ""}`;
			return { name, seconds: secondsOf(stat, 2) };
		}),
	);
	return found.filter(({ seconds }) => seconds > 0).sort((a, b) => b.seconds - a.seconds);
}

/** The first `count` of user, system, children's user, children's system: fields 14 to 17 of proc(5)'s stat. */
function secondsOf(stat: string, count: number): number {
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	return fields.slice(11, 11 + count).reduce((sum, each) => sum + Number(each), 0) / TICKS_A_SECOND;
}
