import type { Problem } from "./problem.js";

/** A problem that is answered as it is, e.g. with members of its own. */
export class ProblemError extends Error {
	constructor(readonly problem: Problem & Readonly<Record<string, unknown>>) {
		super(problem.detail);
		this.name = "ProblemError";
	}
}
