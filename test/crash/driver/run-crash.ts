import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadConfig } from "../../../src/config/config.js";
import type { VerifyReport } from "../../../src/services/reports.js";
import type { Catalog } from "../../../src/stores/catalog/catalog.port.js";
import { readLedger } from "../../../src/webhooks/ledger/read-ledger.js";
import { openStores } from "../../../src/wiring.js";
import { createRepository } from "../../support/git-repository.js";
import { lode, lodeJson } from "../../support/lode-process.js";
import { seededRandom } from "../../support/seeded-random.js";
import { deliveries, send } from "../../support/webhook-sender.js";
import { account, type FollowedSource, logOf, publishedOf, targets } from "./account.js";
import { disarm, inject } from "./inject.js";
import type { CrashOptions } from "./options.js";
import { embeddedOrphans } from "./orphans.js";
import { nameOf, planFaults } from "./plan-faults.js";
import { firstCommit, type PlannedHistory, planHistory } from "./plan-history.js";
import type { CrashReport } from "./report.js";
import { Senders } from "./sending.js";
import { serverOrphans } from "./server-orphans.js";
import { undisturbed } from "./undisturbed.js";
import { SECRET, World } from "./world.js";

type Say = (line: string) => void;
interface MadeCommit {
	readonly source: number;
	readonly id: string;
}

/** One run: sends webhooks through a storm of faults, waits until all is published, and checks. Throws only where it cannot run at all. */
export async function runCrash(options: CrashOptions, say: Say = () => undefined): Promise<CrashReport> {
	const world = await World.start(options);
	const sources: FollowedSource[] = [];
	let failed = true;
	try {
		for (let n = 0; n < options.sources; n += 1) {
			const repository = await createRepository();
			sources.push({ id: "", repository });
			await repository.commit(firstCommit());
			const { source: id } = await lodeJson<{ source: string }>(world.home, ["ingest", repository.path], world.env);
			sources[n] = { id, repository };
		}
		say(`${options.sources} sources are followed; the storm begins (seed ${options.seed})`);
		const report = await new Run(options, world, sources, say).run();
		failed = report.problems.length > 0;
		return report;
	} finally {
		await world.stop();
		if (failed || options.keep) say(`home and logs: ${world.folder}, ${world.home}`);
		await world.remove(failed || options.keep);
		if (!failed) for (const { repository } of sources) await repository.remove();
	}
}

class Run {
	readonly #faults: Record<string, number> = {};
	readonly #made: MadeCommit[] = [];
	readonly #history: PlannedHistory;
	readonly #senders: Senders;
	#retries = 0;

	constructor(
		private readonly options: CrashOptions,
		private readonly world: World,
		private readonly sources: readonly FollowedSource[],
		private readonly say: Say,
	) {
		this.#history = planHistory(options);
		this.#senders = new Senders(world.url, SECRET);
	}

	async run(): Promise<CrashReport> {
		const { options, world, say } = this;
		const times = [performance.now()];
		const lap = () => {
			times.push(performance.now());
			return Math.round(((times.at(-1) as number) - (times.at(-2) as number)) / 1_000);
		};
		let raging = true;
		const storm = this.#storm(() => raging);
		this.#senders.start(options.clients);
		await this.#send();
		raging = false;
		await storm;
		const neverStruck = await disarm(world);
		const stormed = lap();
		say(
			`storm over after ${stormed} s: ${this.#senders.sent} sent, ${this.#senders.acknowledged.size} deliveries accepted; draining`,
		);
		await world.ready();
		const { config } = loadConfig({ env: { LODE_HOME: world.home, ...world.env }, cwd: "/" });
		const stores = await openStores(config);
		try {
			const { catalog } = stores.value;
			const problems = await this.#drain(catalog);
			const drained = lap();
			const ledger = join(world.home, "ledger");
			const { waiting, parked } = await readLedger(ledger);
			if (waiting + parked.length > 0)
				problems.push(`the ledger has ${waiting} waiting and ${parked.length} parked receipts`);
			await world.stop();
			const effects = await account(catalog, this.sources, this.#made, this.#senders.acknowledged);
			const { published, unfinished, ...counts } = effects;
			for (const { seq, status, source, commit } of unfinished)
				problems.push(`seq ${seq} of ${source}, ${commit}, is still ${status}`);
			if (counts.accepted === 0) problems.push("no webhook was accepted: the run shows nothing");
			if (counts.lost > 0) problems.push(`${counts.lost} commits of accepted receipts were not published`);
			if (counts.doubled > 0) problems.push(`${counts.doubled} commits were published again`);
			problems.push(...counts.disordered, ...this.#senders.moved.map((one) => `a repeat got another receipt: ${one}`));
			if (counts.covered > 0 && !options.faults.some((kind) => kind === "disk" || kind === "boundary")) {
				problems.push(`${counts.covered} commits were parked, though no fault was for good`);
			}
			const seqs = new Set(published.map(({ seq }) => seq));
			const orphans = world.stores ? await serverOrphans(world.stores, seqs) : embeddedOrphans(world.home, seqs);
			problems.push(...orphans.map(({ place, seq }) => `orphan of seq ${seq}: ${place}`));
			problems.push(...(await this.#digestProblems(catalog)));
			return {
				...counts,
				seed: options.seed,
				profile: options.profile,
				clock: world.clock.how,
				sent: this.#senders.sent,
				answers: this.#senders.answers,
				made: this.#made.length,
				untold: this.#history.untold,
				published: published.length,
				discarded: await this.#discarded(catalog),
				retries: this.#retries,
				restarts: { gateway: world.gateway.starts - 1, dev: world.dev.starts - 1 },
				faults: this.#faults,
				neverStruck: neverStruck.length,
				setAside: (await readdir(join(ledger, "damaged")).catch(() => [])).length,
				problems,
				seconds: { storm: stormed, drain: drained, check: lap() },
			};
		} finally {
			await stores.close();
		}
	}

	/** Faults one after the other, as long as webhooks are sent, and until there were enough. */
	async #storm(raging: () => boolean): Promise<void> {
		let tried = 0;
		for (const { pauseMs, fault } of planFaults(this.options)) {
			for (let waited = 0; waited < pauseMs; waited += 100) {
				if (!raging() && tried >= this.options.minFaults) return;
				await sleep(100);
			}
			this.say(`  ${nameOf(fault)} ${"forMs" in fault ? `for ${fault.forMs} ms` : ""}`);
			tried += 1;
			if (!(await inject(this.world, this.#senders, fault))) continue;
			const name = nameOf(fault);
			this.#faults[name] = (this.#faults[name] ?? 0) + 1;
		}
	}

	/** Makes the commits, and tells of each when its turn comes. */
	async #send(): Promise<void> {
		const random = seededRandom(this.options.seed ^ 0x7ace);
		const { commits, webhooks } = this.#history;
		let next = 0;
		for (const [n, { source, commit }] of commits.entries()) {
			const { repository } = this.sources[source] as FollowedSource;
			this.#made.push({ source, id: await repository.commit(commit) });
			const from = next;
			while (next < webhooks.length && (webhooks[next]?.after as number) <= n + 1) next += 1;
			this.#senders.push(
				webhooks.slice(from, next).map((webhook) => {
					const made = this.#made[webhook.commit] as MadeCommit;
					return { ...webhook, id: made.id, repository: (this.sources[made.source] as FollowedSource).repository.path };
				}),
			);
			await sleep(this.options.paceMs * 2 * random());
		}
		await this.#senders.end();
	}

	/** First what was accepted has to have its effect by itself. Then a last webhook tells of what no accepted one told of, so that all ends. */
	async #drain(catalog: Catalog): Promise<string[]> {
		const logs = await Promise.all(this.sources.map(logOf));
		const all = this.options.faults.includes("webhooks");
		const accepted = [...this.#senders.acknowledged.values()];
		const problems = await this.#come(catalog, logs, targets(logs, this.#made, accepted, all));
		if (problems.length > 0) return problems;
		for (const [at, { repository }] of this.sources.entries()) {
			const commit = logs[at]?.at(-1) as string;
			const id = `s${this.options.seed}-last-${at}`;
			const last = deliveries.generic(SECRET, { repository: repository.path, branch: "main", commit, id });
			const { status } = await send(this.world.url, last);
			if (status !== 200) return [`a webhook after the storm was answered with ${status}`];
		}
		return this.#come(catalog, logs, targets(logs, this.#made, [], true));
	}

	/** Until every source is published as far as wanted, or nothing comes forward any more. */
	async #come(catalog: Catalog, logs: readonly string[][], wanted: readonly number[]): Promise<string[]> {
		let missing = Number.POSITIVE_INFINITY;
		let since = performance.now();
		for (let tried = performance.now(); ; await sleep(500)) {
			const stuck: string[] = [];
			let left = 0;
			for (const [at, { id }] of this.sources.entries()) {
				const last = (await publishedOf(catalog, id)).at(-1)?.commit;
				const behind = (wanted[at] as number) - (logs[at] as string[]).indexOf(last ?? "");
				if (behind > 0) stuck.push(id);
				left += Math.max(0, behind);
			}
			const { waiting } = await readLedger(join(this.world.home, "ledger"));
			if (left + waiting === 0) return [];
			if (left + waiting < missing) {
				missing = left + waiting;
				since = performance.now();
				this.say(`  ${left} commits to come, ${waiting} receipts wait`);
			}
			const quiet = performance.now() - since;
			if (quiet > this.options.patienceMs) {
				return [`nothing came forward for ${Math.round(quiet / 1_000)} s: ${left} commits of ${stuck.join(", ")}`];
			}
			// What a fault for good parked last waits for somebody to say so.
			if (quiet > 8_000 && performance.now() - tried > 15_000 && (await catalog.openSeqs()).length === 0) {
				tried = performance.now();
				const parked = await catalog.ingestions({ status: ["parked", "abandoned"], limit: 1 });
				if (parked.length === 0) continue;
				this.#retries += 1;
				this.say("  lode retry");
				await lode(this.world.home, ["retry"], this.world.env);
			}
		}
	}

	async #discarded(catalog: Catalog): Promise<CrashReport["discarded"]> {
		const counts: Record<string, number> = {};
		for (const { status, failure } of await catalog.ingestions({
			status: ["parked", "cancelled", "abandoned"],
			limit: 1_000_000,
		})) {
			const name = `${status} by ${failure?.code}: ${failure?.message}`;
			counts[name] = (counts[name] ?? 0) + 1;
		}
		return counts;
	}

	async #digestProblems(catalog: Catalog): Promise<string[]> {
		const heads = await Promise.all(
			this.sources.map(async ({ id, repository }) => ({
				path: repository.path,
				commit: (await publishedOf(catalog, id)).at(-1)?.commit as string,
			})),
		);
		const { code, stdout, stderr } = await lode(this.world.home, ["verify", "--json"], this.world.env);
		if (stdout === "") return [`lode verify ended with ${code}: ${stderr}`];
		const { stores, problems } = JSON.parse(stdout) as VerifyReport;
		const found = problems.map(({ store, record, problem }) => `verify: ${store}: ${record}: ${problem}`);
		const expected = await undisturbed(heads);
		for (const store of Object.keys(expected) as (keyof typeof expected)[]) {
			const [is, should] = [JSON.stringify(stores[store]), JSON.stringify(expected[store])];
			if (is !== should) found.push(`digest of ${store}: ${is}, undisturbed ${should}`);
		}
		return found;
	}
}
