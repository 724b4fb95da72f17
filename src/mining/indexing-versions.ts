/**
 * The plugins that have a say in mined files, as far as keys are concerned: a plugin of another version, or in another place of the order,
 * mines again what it sees and nothing else.
 */
export interface IndexingVersions {
	/** All of them in order, for recipes; empty without plugins. */
	readonly all: readonly string[];
	/** Those that see this file, in order. */
	of(path: string): readonly string[];
}

export const NO_PLUGINS: IndexingVersions = { all: [], of: () => [] };
