import pLimit from "p-limit";
import type { LodeError } from "../../domain/errors.js";
import type { Ledger } from "../ledger/ledger.js";
import type { Receipt } from "../receipt.js";
import { type KnownSource, SourcesByRepository } from "./sources-by-repository.js";

export interface DispatchPorts {
	sources(): Promise<readonly KnownSource[]>;
	/** Writes down that these came for the source, then has its workflow look at its branch; any number of times. */
	hint(source: string, receipts: readonly Receipt[]): Promise<void>;
	/** Writes down that no source wanted these; any number of times. */
	unwanted(receipts: readonly { readonly receipt: Receipt; readonly reason: string }[]): Promise<void>;
}

export interface DispatchState {
	/** Undefined while it goes through. */
	readonly failing?: { readonly since: string; readonly attempts: number; readonly problem: string };
}

/** Receipts that are looked at together: however many they are, a source is told once. */
const BATCH = 20_000;
/** Sources are told at the same time: what is in order is each one's own workflow. */
const HINTS_AT_ONCE = 16;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

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
		const meant = new SourcesByRepository(await this.ports.sources());
		const told = new Map<string, Receipt[]>();
		const known: Receipt[] = [];
		const unknown: Receipt[] = [];
		for (const receipt of receipts) {
			const sources = meant.of(receipt);
			(sources.length === 0 ? unknown : known).push(receipt);
			for (const { id } of sources) {
				const wanted = told.get(id);
				if (wanted) wanted.push(receipt);
				else told.set(id, [receipt]);
			}
		}
		if (unknown.length > 0)
			await this.ports.unwanted(unknown.map((receipt) => ({ receipt, reason: reasonOf(receipt) })));
		// Together: they share an fsync.
		await Promise.all(unknown.map((receipt) => this.ledger.park(receipt, reasonOf(receipt))));
		if (known.length === 0) return;
		await this.#tell([...told]);
		// All of a receipt's sources were told.
		await this.ledger.done(known);
	}

	/** Each once. After a failure none is begun any more: a server that is away would have every one of them wait. */
	async #tell(sources: readonly (readonly [string, readonly Receipt[]])[]): Promise<void> {
		const limit = pLimit(HINTS_AT_ONCE);
		const failures: unknown[] = [];
		const tell = async (source: string, wanted: readonly Receipt[]) => {
			if (failures.length === 0) await this.ports.hint(source, wanted).catch((error) => failures.push(error));
		};
		await Promise.all(sources.map(([source, wanted]) => limit(() => tell(source, wanted))));
		if (failures.length > 0) throw failures[0];
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

const reasonOf = ({ repository, branch }: Receipt): string =>
	`no source follows ${repository[0]}${branch ? ` at ${branch}` : ""}`;
