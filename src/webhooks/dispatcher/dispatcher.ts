import type { LodeError } from "../../domain/errors.js";
import type { Ledger } from "../ledger/ledger.js";
import type { Receipt } from "../receipt.js";
import { repositoryIdentity } from "./same-repository.js";

/** A source as far as a webhook can mean it. */
export interface KnownSource {
	readonly id: string;
	readonly address: string;
	readonly branch: string;
}

export interface DispatchPorts {
	sources(): Promise<readonly KnownSource[]>;
	/** Writes down that these came for the source, then has its workflow look at its branch; any number of times. */
	hint(source: string, receipts: readonly Receipt[]): Promise<void>;
	/** Writes down that no source wanted it; any number of times. */
	unwanted(receipt: Receipt, reason: string): Promise<void>;
}

export interface DispatchState {
	/** Undefined while it goes through. */
	readonly failing?: { readonly since: string; readonly attempts: number; readonly problem: string };
}

/** Receipts that are looked at together: however many they are, a source is told once. */
const BATCH = 2_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

/**
 * From the ledger to the sources' workflows, at least once: a receipt is settled after its source was told. What a hint leads to follows from
 * the branch, so doubles and late ones change nothing. While a server is away it pauses, longer each time; the ledger drains when it is back.
 */
export class Dispatcher {
	#stopping = false;
	#failing: DispatchState["failing"];
	#wake: (() => void) | undefined;
	#running: Promise<void> | undefined;

	constructor(
		private readonly ledger: Ledger,
		private readonly ports: DispatchPorts,
		private readonly log: (line: Readonly<Record<string, unknown>>) => void,
	) {}

	start(): void {
		this.#running = this.#run();
	}

	state(): DispatchState {
		return this.#failing === undefined ? {} : { failing: this.#failing };
	}

	/** Waits for the batch that is under way. The ledger has to be closed after this. */
	async stop(): Promise<void> {
		this.#stopping = true;
		this.#wake?.();
		await this.#running;
	}

	async #run(): Promise<void> {
		let pause = FIRST_PAUSE_MS;
		while (!this.#stopping) {
			await Promise.race([this.ledger.somethingWaits(), this.#stopped()]);
			if (this.#stopping) return;
			try {
				await this.#dispatch(this.ledger.waiting().slice(0, BATCH));
				if (this.#failing) this.log({ level: "info", message: "webhooks are dispatched again" });
				this.#failing = undefined;
				pause = FIRST_PAUSE_MS;
			} catch (error) {
				this.#failed(error);
				await Promise.race([new Promise((resolve) => setTimeout(resolve, pause)), this.#stopped()]);
				pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
			}
		}
	}

	async #dispatch(receipts: readonly Receipt[]): Promise<void> {
		const sources = await this.ports.sources();
		const bySource = new Map<string, Receipt[]>();
		const settled: Receipt[] = [];
		for (const receipt of receipts) {
			const meant = sourcesOf(receipt, sources);
			if (meant.length === 0) {
				const reason = `no source follows ${receipt.repository[0]}${receipt.branch ? ` at ${receipt.branch}` : ""}`;
				await this.ports.unwanted(receipt, reason);
				await this.ledger.park(receipt, reason);
				continue;
			}
			settled.push(receipt);
			for (const { id } of meant) bySource.set(id, [...(bySource.get(id) ?? []), receipt]);
		}
		for (const [source, wanted] of bySource) await this.ports.hint(source, wanted);
		// All of a receipt's sources were told.
		await this.ledger.done(settled);
	}

	#failed(error: unknown): void {
		const { code, message } = error as Partial<LodeError>;
		const problem = `${code ?? "INTERNAL"}: ${message ?? String(error)}`;
		const { since = new Date().toISOString(), attempts = 0 } = this.#failing ?? {};
		if (attempts === 0)
			this.log({ level: "warn", message: "webhooks cannot be dispatched and wait in the ledger", problem });
		this.#failing = { since, attempts: attempts + 1, problem };
	}

	#stopped(): Promise<void> {
		return new Promise((resolve) => {
			if (this.#stopping) resolve();
			this.#wake = resolve;
		});
	}
}

function sourcesOf({ repository, branch }: Receipt, sources: readonly KnownSource[]): KnownSource[] {
	const named = new Set(repository.map(repositoryIdentity));
	return sources.filter(
		(source) =>
			named.has(repositoryIdentity(source.address)) &&
			// A source without a branch follows what HEAD names.
			(branch === undefined || source.branch === branch || source.branch === "HEAD" || source.branch === ""),
	);
}
