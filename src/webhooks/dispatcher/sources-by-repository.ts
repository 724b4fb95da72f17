import type { Receipt } from "../receipt.js";
import { repositoryIdentity } from "./same-repository.js";

/** A source as far as a webhook can mean it. */
export interface KnownSource {
	readonly id: string;
	readonly address: string;
	readonly branch: string;
}

/** Finds the sources that a receipt means without comparing it with each. */
export class SourcesByRepository {
	readonly #sources = new Map<string, KnownSource[]>();
	/** Senders write the same address again and again. */
	readonly #identities = new Map<string, string>();

	constructor(sources: readonly KnownSource[]) {
		for (const source of sources) {
			const identity = this.#identity(source.address);
			this.#sources.set(identity, [...(this.#sources.get(identity) ?? []), source]);
		}
	}

	of({ repository, branch }: Pick<Receipt, "repository" | "branch">): KnownSource[] {
		const named = new Set(repository.map((address) => this.#identity(address)));
		const found = [...named].flatMap((identity) => this.#sources.get(identity) ?? []);
		// A source without a branch follows what HEAD names.
		return branch === undefined
			? found
			: found.filter((source) => source.branch === branch || source.branch === "HEAD" || source.branch === "");
	}

	#identity(address: string): string {
		const known = this.#identities.get(address);
		if (known !== undefined) return known;
		const identity = repositoryIdentity(address);
		this.#identities.set(address, identity);
		return identity;
	}
}
