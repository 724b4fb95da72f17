import type { IngestRequest } from "./contracts/follow-source.js";
import type { IngestOutcome } from "./contracts/ingest-commit.js";
import type { Trace } from "./contracts/traces.js";

export interface QueuedRequest {
	readonly request: IngestRequest;
	readonly trace: Trace | undefined;
	outcome?: IngestOutcome;
	failure?: unknown;
	done: boolean;
}

/** The order of one source: requests of users first (they wait for an answer), then what looks at the ref found. */
export class SourceQueue {
	readonly #requests: QueuedRequest[] = [];
	readonly #found: string[];
	/** The last look left some out. */
	#more = false;
	/** One of those that the last look found was published. */
	#forward = false;
	running: string | null = null;
	refChanged: boolean;
	stopping = false;
	/** Of the hint that the next look follows, and of the one that the last look followed. */
	#hintTrace: Trace | undefined;
	#foundTrace: Trace | undefined;

	constructor(waiting: readonly string[], refChanged: boolean, trace?: Trace) {
		this.#found = [...waiting];
		this.refChanged = refChanged;
		this.#hintTrace = trace;
		this.#foundTrace = trace;
	}

	/** The ref may have moved. Hints that come before the look are one: it belongs to the last trace of theirs. */
	hint(trace: Trace | undefined): void {
		this.#hintTrace = trace ?? (this.refChanged ? this.#hintTrace : undefined);
		this.refChanged = true;
	}

	/** The look that follows the hint begins. */
	look(): void {
		this.refChanged = false;
		this.#foundTrace = this.#hintTrace;
	}

	/** That looks and what they find belong to. */
	get trace(): Trace | undefined {
		return this.#foundTrace;
	}

	add(request: IngestRequest, trace?: Trace): QueuedRequest {
		const queued: QueuedRequest = { request, trace, done: false };
		this.#requests.push(queued);
		return queued;
	}

	nextRequest(): QueuedRequest | undefined {
		return this.#requests.shift();
	}

	nextFound(): string | undefined {
		return this.#found.shift();
	}

	/** A look at the ref replaces what earlier looks found: the ref's log is the truth. A look finds `most` commits at most. */
	replaceFound(commits: readonly string[], most: number): void {
		this.#found.splice(0, this.#found.length, ...commits);
		this.#more = commits.length >= most;
		this.#forward = false;
	}

	/** A found commit was published: another look would find others. */
	cameForward(): void {
		this.#forward = true;
	}

	/** After the last commit of a look that could not take them all. Not where none was published: it would find the same ones again. */
	lookAgainAtEnd(): void {
		if (this.#found.length > 0 || !this.#more) return;
		this.#more = false;
		this.refChanged ||= this.#forward;
	}

	get waiting(): string[] {
		return [...this.#requests.map((queued) => queued.request.commit), ...this.#found];
	}

	/** What the next run has to know. */
	get carried(): { refChanged: boolean; waiting: readonly string[]; trace: Trace | undefined } {
		return {
			// What is still to come may be published too: only then a look finds others.
			refChanged: this.refChanged || (this.#more && (this.#forward || this.#found.length > 0)),
			waiting: [...this.#found],
			trace: this.refChanged ? this.#hintTrace : this.#foundTrace,
		};
	}

	get hasRequests(): boolean {
		return this.#requests.length > 0;
	}

	get idle(): boolean {
		return !this.hasRequests && this.#found.length === 0 && !this.refChanged;
	}
}
