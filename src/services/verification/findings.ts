import { errorCode } from "../../domain/errors.js";
import type { StoreProblem } from "../../stores/versioned.port.js";

export type StoreName = "catalog" | "graph" | "vectors" | "artifacts";
export type NamedProblem = StoreProblem & { readonly store: StoreName };

/** Beyond this many, more problems tell nothing new. */
const MAX_PROBLEMS = 200;

/** What a verification found so far. */
export class Findings {
	readonly problems: NamedProblem[] = [];

	add(store: StoreName, source: string | undefined, record: string, problem: string): void {
		if (this.problems.length >= MAX_PROBLEMS) return;
		this.problems.push({ store, ...(source !== undefined && { source }), record, problem });
	}

	/** Runs a part of the verification. Damage that stops it is a finding and ends this part only. Returns whether it came to its end. */
	async part(store: StoreName, source: string | undefined, record: string, run: () => Promise<void>): Promise<boolean> {
		try {
			await run();
			return true;
		} catch (error) {
			if (!isDamage(error)) throw error;
			this.add(store, source, record, error instanceof Error ? error.message : String(error));
			return false;
		}
	}

	/**
	 * Takes over what `look` finds twice. For what publications and collections may change while it is looked at: nothing that they do leaves
	 * the same contradiction behind.
	 */
	async confirmed(look: (findings: Findings) => Promise<void>): Promise<void> {
		const first = new Findings();
		await look(first);
		if (first.problems.length === 0) return;
		const seen = new Set(first.problems.map((problem) => JSON.stringify(problem)));
		const again = new Findings();
		await look(again);
		for (const problem of again.problems) {
			const { store, source, record, problem: text } = problem;
			if (seen.has(JSON.stringify(problem))) this.add(store, source, record, text);
		}
	}
}

/** A store that is away or locked says nothing about its content; whatever else comes out of reading it does. */
export function isDamage(error: unknown): boolean {
	const code = errorCode(error);
	return code === undefined || code === "STORE_CORRUPT" || code === "INTERNAL";
}
