import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { freePorts } from "../../servers/free-ports.js";
import { environment } from "../../support/lode-process.js";
import { type SmallDisk, smallDisk } from "../../support/small-disk.js";
import { MovableClock } from "./clock.js";
import type { CrashOptions } from "./options.js";
import type { Target } from "./plan-faults.js";
import { type ServerStores, startServerStores } from "./server-stores.js";
import { Supervised } from "./supervised.js";

export const SECRET = "a-s3cret-of-the-crash-suite";
/** Room for some thousand small commits and Temporal's database. */
const HOME_BYTES = 768 * 1024 * 1024;
const LEDGER_BYTES = 64 * 1024 * 1024;
/** How often sources are compared with their repositories where webhooks are left out. Seconds. */
const COMPARE_EVERY = "15";

const entry = (file: string) => new URL(`../../../dist/${file}`, import.meta.url).pathname;
const PRELOAD = pathToFileURL(new URL("../../support/crash-preload.mjs", import.meta.url).pathname).href;

/** Everything that runs: the gateway, `lode dev` with its worker and Temporal, and in the profile servers the stores. */
export class World {
	private constructor(
		readonly folder: string,
		readonly home: string,
		/** Of commands: the stores themselves, the real time. */
		readonly env: Record<string, string>,
		readonly url: string,
		readonly clock: MovableClock,
		readonly disks: { readonly home: SmallDisk; readonly ledger: SmallDisk } | undefined,
		readonly stores: ServerStores | undefined,
		readonly boundaries: string,
		readonly gateway: Supervised,
		readonly dev: Supervised,
	) {}

	static async start(options: CrashOptions): Promise<World> {
		const folder = await mkdtemp(join(tmpdir(), "lode-storm-"));
		const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true, maxRetries: 3 })];
		try {
			const stores = options.profile === "servers" ? await startServerStores() : undefined;
			if (stores) undo.push(() => stores.destroy());
			const disks = options.faults.includes("disk") ? await ownDisks() : undefined;
			if (disks)
				undo.push(
					() => disks.home.remove(),
					() => disks.ledger.remove(),
				);
			const home = disks ? join(disks.home.path, "home") : join(folder, "home");
			await mkdir(join(home, "ledger"), { recursive: true });
			const boundaries = join(folder, "boundaries");
			await mkdir(join(boundaries, "struck"), { recursive: true });
			const clock = new MovableClock(folder);
			const [port] = (await freePorts(1)) as [number];
			const own = {
				LODE_LOG_LEVEL: "info",
				LODE_WEBHOOK_PORT: String(port),
				LODE_WEBHOOK_RATE: "10000000",
				// Its commits are small: with every second seed they take the way of large ones.
				...(options.seed % 2 === 0 && { LODE_SMALL_COMMIT_FILES: "0" }),
				...Object.fromEntries(
					["GITHUB", "GITEA", "GITLAB", "GENERIC"].map((name) => [`LODE_WEBHOOK_SECRET_${name}`, SECRET]),
				),
				LODE_RECONCILE_EVERY: options.faults.includes("webhooks") ? COMPARE_EVERY : "0",
				LODE_CRASH_BOUNDARIES: boundaries,
				NODE_OPTIONS: `--import=${PRELOAD}`,
				...clock.env,
			};
			const env = stores?.env ?? {};
			const program = (name: string, args: string[]) =>
				new Supervised({
					name,
					args,
					env: environment(home, { ...(stores?.proxied ?? {}), ...own }),
					logFile: join(folder, `${name}.log`),
				});
			const gateway = program("gateway", [entry("gateway.js")]);
			const dev = program("dev", [entry("src/cli/main.js"), "dev", "--json"]);
			undo.push(
				() => gateway.stop(),
				() => dev.stop(),
			);
			await Promise.all([gateway.start(), dev.start()]);
			undo.length = 0;
			return new World(folder, home, env, `http://127.0.0.1:${port}`, clock, disks, stores, boundaries, gateway, dev);
		} catch (error) {
			for (const step of undo.reverse()) await step().catch(() => undefined);
			throw error;
		}
	}

	/** Of a target now; none where it is just down. */
	async pidsOf(target: Target): Promise<readonly number[]> {
		if (target === "gateway" || target === "dev") return [this[target].pid].filter((pid) => pid !== undefined);
		if (target !== "worker" && target !== "Temporal") return this.stores?.servers[target].pids ?? [];
		if (target === "Temporal" && this.stores) return this.stores.servers.temporal.pids;
		try {
			const { children } = JSON.parse(await readFile(join(this.home, "run", "children.json"), "utf8")) as {
				children: { name: string; pid: number }[];
			};
			return children.filter(({ name }) => name === target).map(({ pid }) => pid);
		} catch {
			return [];
		}
	}

	/** When every process is up again. */
	async ready(): Promise<void> {
		this.gateway.release();
		await this.gateway.ready();
		await this.dev.ready();
	}

	/** Ends the processes; the stores serve on. */
	async stop(): Promise<void> {
		await this.gateway.stop();
		await this.dev.stop();
	}

	/** `keep`: home and logs stay. */
	async remove(keep: boolean): Promise<void> {
		await this.stores?.destroy();
		if (keep) return;
		await this.disks?.ledger.remove();
		await this.disks?.home.remove();
		await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
	}
}

/** A disk for the home, and in it one for the ledger. */
async function ownDisks(): Promise<World["disks"]> {
	const home = await smallDisk(HOME_BYTES);
	if (home === undefined) return undefined;
	const at = join(home.path, "home", "ledger");
	await mkdir(at, { recursive: true });
	const ledger = await smallDisk(LEDGER_BYTES, at);
	if (ledger) return { home, ledger };
	await home.remove();
	return undefined;
}
