import { requireSource } from "../../services/recipe.js";
import type { SourceAdapter } from "../../sources/source.port.js";
import type { Ingestion, Source } from "../../stores/catalog/catalog.port.js";
import type { Ports } from "../ports.js";

/** Commits that a process remembers having prepared: those of running ingestions, and some. */
const KEPT = 1_000;

/**
 * Brings a commit into the home of the worker that needs it. The worker that ran `prepareCommit` may be another one, on another machine:
 * whoever reads a commit for the first time makes sure that it is here.
 */
export class PreparedSources {
	readonly #ports: Pick<Ports, "catalog" | "sources">;
	readonly #prepared = new Set<string>();

	constructor(ports: Pick<Ports, "catalog" | "sources">) {
		this.#ports = ports;
	}

	async of(
		ingestion: Pick<Ingestion, "source" | "commit">,
		progress: (done: string) => void,
		signal: AbortSignal,
	): Promise<{ source: Source; adapter: SourceAdapter }> {
		const source = await requireSource(this.#ports.catalog, ingestion.source);
		const adapter = this.#ports.sources.of(source.kind);
		const key = `${source.id} ${ingestion.commit}`;
		if (!this.#prepared.has(key)) {
			await adapter.prepare(source, ingestion.commit, progress, signal);
			if (this.#prepared.size >= KEPT) this.#prepared.clear();
			this.#prepared.add(key);
		}
		return { source, adapter };
	}

	/** What the home held of it is being deleted. */
	forget(source: string): void {
		for (const key of this.#prepared) if (key.startsWith(`${source} `)) this.#prepared.delete(key);
	}
}
