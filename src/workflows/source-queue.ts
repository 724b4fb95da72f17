import type { IngestRequest } from "./contracts/follow-source.js";
import type { IngestOutcome } from "./contracts/ingest-commit.js";

export interface QueuedRequest {
	readonly request: IngestRequest;
	outcome?: IngestOutcome;
	failure?: unknown;
	done: boolean;
}

/** The order of one source: requests of users first (they wait for an answer), then what looks at the ref found. */
export class SourceQueue {
	readonly #requests: QueuedRequest[] = [];
	readonly #found: string[];
	running: string | null = null;
	refChanged: boolean;
	stopping = false;

	constructor(waiting: readonly string[], refChanged: boolean) {
		this.#found = [...waiting];
		this.refChanged = refChanged;
	}

	add(request: IngestRequest): QueuedRequest {
		const queued: QueuedRequest = { request, done: false };
		this.#requests.push(queued);
		return queued;
	}

	nextRequest(): QueuedRequest | undefined {
		return this.#requests.shift();
	}

	nextFound(): string | undefined {
		return this.#found.shift();
	}

	/** A look at the ref replaces what earlier looks found: the ref's log is the truth. */
	replaceFound(commits: readonly string[]): void {
		this.#found.splice(0, this.#found.length, ...commits);
	}

	get waiting(): string[] {
		return [...this.#requests.map((queued) => queued.request.commit), ...this.#found];
	}

	get found(): string[] {
		return [...this.#found];
	}

	get hasRequests(): boolean {
		return this.#requests.length > 0;
	}

	get idle(): boolean {
		return !this.hasRequests && this.#found.length === 0 && !this.refChanged;
	}
}
