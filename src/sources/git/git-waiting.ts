import { isoTime } from "../commit-text.js";
import type { WaitingCommits } from "../source.port.js";
import type { GitCall, GitCommand } from "./git-command.js";

/**
 * The commits of `to` that `published` does not reach, in the repository that `args` names: how many, and when the oldest was committed.
 * Undefined where it has not both.
 */
export async function countWaiting(
	git: GitCommand,
	args: readonly string[],
	call: GitCall,
	published: string,
	to: string,
): Promise<WaitingCommits | undefined> {
	const { code, stdout } = await git.run([...args, "rev-list", "--timestamp", to, "--not", published, "--"], call);
	if (code !== 0) return undefined;
	let commits = 0;
	let oldest = Number.POSITIVE_INFINITY;
	for (const line of stdout.toString("latin1").split("\n")) {
		if (line === "") continue;
		commits += 1;
		oldest = Math.min(oldest, Number.parseInt(line, 10));
	}
	return { commits, since: commits === 0 ? undefined : isoTime(oldest) };
}
