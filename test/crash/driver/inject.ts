import { existsSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fillDisk } from "./filled-disk.js";
import type { Fault, Target } from "./plan-faults.js";
import type { Senders } from "./sending.js";
import { tearLedger } from "./torn-ledger.js";
import type { World } from "./world.js";

const LATENCY_MS = 400;
/** How long the activity may not come. A worker that is killed again and again is started again after ten seconds. */
const BOUNDARY_MS = 20_000;

function signal(pids: readonly number[], name: NodeJS.Signals): number {
	let reached = 0;
	for (const pid of pids) {
		try {
			process.kill(pid, name);
			reached += 1;
		} catch {
			// It ended in between.
		}
	}
	return reached;
}

async function kill(world: World, target: Target, downMs: number): Promise<boolean> {
	// One that is always just starting would accept nothing, and there would be nothing to lose.
	if (target === "gateway") await world.gateway.ready();
	if (target === "gateway" || target === "dev") {
		world[target].hold();
		await world[target].kill();
		await sleep(downMs);
		world[target].release();
		return true;
	}
	const server =
		target === "Temporal"
			? world.stores?.servers.temporal
			: target === "worker"
				? undefined
				: world.stores?.servers[target];
	if (server === undefined) return signal(await world.pidsOf(target), "SIGKILL") > 0;
	await server.kill();
	await sleep(downMs);
	await server.start();
	return true;
}

/** Returns its file, which is there until it struck. */
async function arm(world: World, side: string, activity: string, act: "kill" | "fail"): Promise<string> {
	const file = join(world.boundaries, `${side}-${activity}-${act}`);
	await writeFile(file, "");
	return file;
}

/** Otherwise it stays armed, and the list goes on. */
async function strikes(file: string): Promise<boolean> {
	for (let waited = 0; waited < BOUNDARY_MS; waited += 50) {
		if (!existsSync(file)) return true;
		await sleep(50);
	}
	return false;
}

/** Boundaries that nobody came to; none waits any more. */
export async function disarm(world: World): Promise<string[]> {
	const waiting = (await readdir(world.boundaries)).filter((name) => name !== "struck");
	for (const name of waiting) await rm(join(world.boundaries, name), { force: true });
	return waiting;
}

/** Injects a fault and takes it back. False where it found nothing to strike. */
export async function inject(world: World, senders: Senders, fault: Fault): Promise<boolean> {
	switch (fault.kind) {
		case "kill":
			return kill(world, fault.target, fault.downMs);
		case "stop": {
			const pids = await world.pidsOf(fault.target);
			const reached = signal(pids, "SIGSTOP");
			await sleep(fault.forMs);
			signal(pids, "SIGCONT");
			return reached > 0;
		}
		case "boundary":
			// What undoes an ingestion runs where one failed.
			if (fault.discards) await arm(world, "after", "verifyStaged", "fail");
			return await strikes(await arm(world, fault.side, fault.activity, "kill"));
		case "disk": {
			const disk = world.disks?.[fault.place];
			if (disk === undefined) return false;
			const free = await fillDisk(disk.path, fault.leave);
			await sleep(fault.forMs);
			await free();
			return true;
		}
		case "torn": {
			await world.gateway.ready();
			world.gateway.hold();
			await world.gateway.kill();
			await senders.quiet();
			const receipts = new Set([...senders.acknowledged.values()].map(({ receipt }) => receipt));
			const torn = await tearLedger(join(world.home, "ledger"), fault, receipts).catch(
				(error: NodeJS.ErrnoException) => {
					if (error.code === "ENOSPC") return undefined;
					throw error;
				},
			);
			world.gateway.release();
			return torn !== undefined;
		}
		case "clock":
			world.clock.move(fault.seconds);
			await sleep(fault.forMs);
			world.clock.move(0);
			return true;
		case "slow": {
			const proxies = world.stores?.proxies[fault.store] ?? [];
			// Only its first port speaks HTTP/1.
			const struck = fault.way === "503" ? proxies.slice(0, 1) : proxies;
			for (const proxy of struck)
				proxy.fault = fault.way === "latency" ? { way: "latency", ms: LATENCY_MS } : { way: fault.way };
			await sleep(fault.forMs);
			for (const proxy of struck) proxy.fault = undefined;
			return struck.length > 0;
		}
	}
}
