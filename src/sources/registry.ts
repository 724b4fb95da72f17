import { LodeError } from "../domain/errors.js";
import type { SourceKind } from "../stores/catalog/catalog.port.js";
import { describeTarget } from "./describe-target.js";
import type { SourceAdapter } from "./source.port.js";

export interface SourceRegistry {
	/** The first adapter that recognises the target. @throws SOURCE_NOT_FOUND, CREDENTIALS_IN_URL */
	recognise(target: string): Promise<SourceAdapter>;
	/** @throws SOURCE_NOT_FOUND when this installation has no adapter of the kind */
	of(kind: SourceKind): SourceAdapter;
}

/** Adapters are asked in the order given: git before folder, which takes every directory that git does not. */
export function createSourceRegistry(adapters: readonly SourceAdapter[]): SourceRegistry {
	return {
		async recognise(target) {
			for (const adapter of adapters) {
				if (await adapter.recognises(target)) return adapter;
			}
			throw new LodeError("SOURCE_NOT_FOUND", `There is no repository or folder at ${describeTarget(target)}.`, {
				next: "Give the path of a repository, of a git bundle or of a folder, a URL that git can clone, or lakefs://REPOSITORY.",
			});
		},
		of(kind) {
			const adapter = adapters.find((candidate) => candidate.kind === kind);
			if (adapter === undefined) {
				throw new LodeError("SOURCE_NOT_FOUND", `Sources of kind ${kind} are not available in this installation.`, {
					next: `Use one of: ${adapters.map((candidate) => candidate.kind).join(", ")}.`,
				});
			}
			return adapter;
		},
	};
}
