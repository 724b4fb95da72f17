import type { EntityState } from "../../domain/entities.js";
import type { Extraction, Extractor, FileInput } from "../extractor.js";

/** For tests: a file from its path and contents, as the mining core hands it to extractors. */
export function inlineFile(path: string, content: string | Uint8Array, chunkSize = 1_200): FileInput {
	const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
	const text = typeof content === "string" ? content : undefined;
	return { source: "shop", path, bytes, text, language: undefined, settings: { chunkSize, overlap: 100 } };
}

/** What an extraction says, in the short form that tests compare. */
export class Findings {
	readonly #states: ReadonlyMap<string, EntityState>;

	constructor(readonly extraction: Extraction) {
		this.#states = new Map(extraction.states.map((state) => [state.key, state]));
	}

	static async of(extractor: Extractor, path: string, content: string | Uint8Array): Promise<Findings> {
		const input = inlineFile(path, content);
		if (!extractor.matches(input)) throw new Error(`${extractor.name} does not match ${path}`);
		return new Findings(await extractor.extract(input));
	}

	get keys(): string[] {
		return [...this.#states.keys()];
	}

	get skips(): string[] {
		return this.extraction.skips.map((skip) => skip.reason);
	}

	props(key: string): Readonly<Record<string, unknown>> | undefined {
		return this.#states.get(key)?.props;
	}

	/** Where the edges of a kind lead, without the prefix that the source gives every key. */
	edges(key: string, kind: string): string[] {
		const edges = this.#states.get(key)?.edges ?? [];
		return edges
			.filter((edge) => edge.kind === kind)
			.map((edge) => edge.to.replace(":shop:", ":").replace("data_model:shop:", "data_model:"));
	}

	/** Names of the columns of a model. */
	columns(model: string): string[] {
		return this.edges(`data_model:shop:${model}`, "HAS_COLUMN").map((key) =>
			key.slice(`column:data_model:${model}.`.length),
		);
	}

	/** `model.column` of each column that a column comes from. */
	lineage(model: string, column: string): string[] {
		return this.edges(`column:data_model:shop:${model}.${column}`, "DERIVES_FROM").map((key) =>
			key.replace("column:data_model:", ""),
		);
	}

	provides(key: string): string[] {
		return (this.#states.get(key)?.provides ?? []).map(({ name, rank }) => `${name.replace(":shop:", ":")}@${rank}`);
	}
}
