import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { dirname } from "node:path";
import process from "node:process";
// Types only: run from source (tests), Node strips them and finds no other module.
import type { FromLauncher, LaunchMessage, ToLauncher } from "./launcher-messages.js";

/**
 * The program that git-launcher.ts runs: it starts git for a process that is too large to do so itself. The streams of a git are sockets to that
 * process, so no byte of them passes through here. It ends with its channel, and its gits with it.
 */
const KILL_AFTER_MS = 3_000;

/** Where streams are connected, alone in a folder that is of no use without the process that listens there. */
const [, , SOCKET = ""] = process.argv;
const running = new Map<number, { readonly child: ChildProcess; readonly ownSession: boolean }>();
let ending = false;

function tell(message: FromLauncher): void {
	if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/** A socket that is not read here: its other end is the stream of that number. */
async function stream({ key }: LaunchMessage, number: number): Promise<Socket> {
	const socket = connect(SOCKET);
	socket.pause();
	return new Promise((resolve, reject) => {
		socket.on("error", reject);
		socket.once("connect", () => {
			socket.write(Buffer.from([...Buffer.from(key, "hex"), number]), () => resolve(socket));
		});
	});
}

async function launch(message: LaunchMessage): Promise<void> {
	const { id, command, args, cwd, env, ownSession, stdin } = message;
	const asked = await Promise.allSettled((stdin ? [0, 1, 2] : [1, 2]).map((number) => stream(message, number)));
	const sockets = asked.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
	// Without a way back it is of no use to anybody.
	if (sockets.length < asked.length) end();
	try {
		if (ending) return;
		const [input, output, errors] = stdin ? sockets : ["ignore" as const, ...sockets];
		const child = spawn(command, args, { cwd, env, stdio: [input, output, errors], detached: ownSession });
		child.once("exit", (code) => {
			running.delete(id);
			tell({ type: "exited", id, code });
			if (ending && running.size === 0) process.exit();
		});
		await new Promise<void>((resolve, reject) => {
			child.once("spawn", resolve);
			child.on("error", reject);
		});
		running.set(id, { child, ownSession });
		tell({ type: "started", id, pid: child.pid as number });
	} catch (error) {
		const { code, message: said } = error as NodeJS.ErrnoException;
		tell({ type: "failed", id, code, message: said });
	} finally {
		// Git has them now. Closing says nothing to the other side while it does.
		for (const socket of sockets) socket.destroy();
	}
}

function signal(id: number, name: NodeJS.Signals): void {
	const git = running.get(id);
	if (git?.child.pid === undefined) return;
	try {
		if (git.ownSession) process.kill(-git.child.pid, name);
		else git.child.kill(name);
	} catch {
		// It has ended by itself.
	}
}

function end(): void {
	if (ending) return;
	ending = true;
	// Whoever made it may have been killed.
	if (!process.connected) rmSync(dirname(SOCKET), { recursive: true, force: true });
	if (running.size === 0) process.exit();
	const all = (name: NodeJS.Signals): void => {
		for (const id of running.keys()) signal(id, name);
	};
	all("SIGTERM");
	setTimeout(() => {
		all("SIGKILL");
		process.exit();
	}, KILL_AFTER_MS);
}

process.on("message", (message: ToLauncher) => {
	if (message.type === "launch") void launch(message);
	else signal(message.id, message.signal);
});
process.once("disconnect", end);
for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(name, end);
tell({ type: "ready" });
