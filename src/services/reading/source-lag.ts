import pLimit from "p-limit";
import { LodeError } from "../../domain/errors.js";
import type { SourceAdapter } from "../../sources/source.port.js";
import type { Source, SourceKind } from "../../stores/catalog/catalog.port.js";
import type { SourceLag } from "../reports.js";

/** A repository that says nothing for this long is said to be away. Milliseconds. */
const PATIENCE_MS = 5_000;
/** Asked at the same time: each may be a process. */
const AT_ONCE = 16;

export interface Followed extends Source {
	/** The published head. */
	readonly commit: string | null;
}

/** @throws SOURCE_NOT_FOUND where there is none of the kind */
export type AdapterOf = (kind: SourceKind) => SourceAdapter;

/** Compares published heads with what the repositories say now. Writes nothing, and never throws: what cannot be told is said. */
export class SourceLags {
	readonly #limit = pLimit(AT_ONCE);
	/** Whoever asks the same meanwhile gets the same answer. */
	readonly #running = new Map<string, Promise<SourceLag>>();

	constructor(
		private readonly adapterOf: AdapterOf,
		private readonly patienceMs = PATIENCE_MS,
	) {}

	/** In the order given. */
	of(followed: readonly Followed[]): Promise<SourceLag[]> {
		return Promise.all(followed.map((one) => this.#shared(one)));
	}

	#shared(one: Followed): Promise<SourceLag> {
		const key = `${one.id} ${one.commit}`;
		const running =
			this.#running.get(key) ?? this.#limit(() => this.#ask(one)).finally(() => this.#running.delete(key));
		this.#running.set(key, running);
		return running;
	}

	async #ask(source: Followed): Promise<SourceLag> {
		const abort = new AbortController();
		const seen: { head?: string } = {};
		let timer: NodeJS.Timeout | undefined;
		const late = new Promise<never>((_, reject) => {
			const message = `${source.address} did not answer within ${this.patienceMs / 1_000} s`;
			timer = setTimeout(() => reject(new LodeError("TIMEOUT", message)), this.patienceMs);
		});
		try {
			return await Promise.race([this.#compare(source, abort.signal, seen), late]);
		} catch (error) {
			// Which commit is the head was said; how many there are before it was not.
			if (seen.head !== undefined) return behind(seen.head);
			const { code = "INTERNAL", message } = error as { code?: string; message: string };
			return { status: "unknown", head: null, commits: null, since: null, problem: `${code}: ${message}` };
		} finally {
			clearTimeout(timer);
			abort.abort();
		}
	}

	async #compare(source: Followed, signal: AbortSignal, seen: { head?: string }): Promise<SourceLag> {
		const { commit } = source;
		const adapter = this.adapterOf(source.kind);
		const head = await adapter.peek(source, signal);
		if (head === commit) return { status: "current", head, commits: 0, since: null, problem: null };
		seen.head = head;
		const waiting = commit === null ? undefined : await adapter.waiting(source, commit, head, signal);
		if (waiting === undefined) return behind(head);
		const { commits, since = null } = waiting;
		return { status: commits === 0 ? "ahead" : "behind", head, commits, since, problem: null };
	}
}

const behind = (head: string): SourceLag => ({ status: "behind", head, commits: null, since: null, problem: null });
