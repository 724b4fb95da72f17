import { RunFolder } from "./runtime-file.js";

/** How long an orphan may take to stop by itself before it ends in any case. Milliseconds. */
const ORPHAN_MS = 15_000;

/**
 * For a process that a Supervisor runs (with `ipc`): calls `shutdown` once, when the parent asks for it or is gone, then ends the process
 * with code 0. When the parent is gone, it also ends what else the parent left running (the Temporal server), so that nothing
 * stays behind after a SIGKILL. Without a parent's channel, SIGINT and SIGTERM do the same.
 */
export function followParent(options: { readonly home: string; shutdown(): Promise<void> }): void {
	const parent = process.ppid;
	let stopping = false;
	const stop = async (orphaned: boolean) => {
		if (stopping) return;
		stopping = true;
		if (orphaned) setTimeout(() => process.exit(1), ORPHAN_MS).unref();
		let code = 0;
		try {
			await options.shutdown();
		} catch {
			code = 1;
		}
		if (orphaned) await new RunFolder(options.home).endLeftovers(parent).catch(() => undefined);
		process.exit(code);
	};
	// Nobody reads the output any more.
	process.stdout.on("error", () => undefined);
	process.on("SIGTERM", () => void stop(false));
	if (process.channel === undefined) {
		process.on("SIGINT", () => void stop(false));
		return;
	}
	// On Windows Ctrl-C reaches every process of the console: the parent decides.
	process.on("SIGINT", () => undefined);
	process.on("message", (message) => {
		if (message === "shutdown") void stop(false);
	});
	process.once("disconnect", () => void stop(true));
	if (!process.connected) void stop(true);
}
