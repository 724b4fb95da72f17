import type { GitStart } from "./started-git.js";

/** Between a process and its launcher (launcher-process.ts), over Node's channel: nothing of it stands in an argument or a file. */
export type ToLauncher =
	| LaunchMessage
	| { readonly type: "signal"; readonly id: number; readonly signal: NodeJS.Signals };

export interface LaunchMessage extends GitStart {
	readonly type: "launch";
	readonly id: number;
	/** Hexadecimal, 32 digits. What the launcher says first on each socket, before the number of the stream (0, 1 or 2; one byte). */
	readonly key: string;
}

export type FromLauncher =
	/** It can be told what to start. */
	| { readonly type: "ready" }
	| { readonly type: "started"; readonly id: number; readonly pid: number }
	/** It was not started. `code` as the system says it. */
	| { readonly type: "failed"; readonly id: number; readonly code: string | undefined; readonly message: string }
	| { readonly type: "exited"; readonly id: number; readonly code: number | null };
