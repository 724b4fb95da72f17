import type { Skip } from "../../../domain/mined-file.js";

/** When a dependency is needed, where it is not simply at run time. */
export type DependencyKind = "runtime" | "dev" | "peer" | "optional" | "build" | "indirect" | "managed";

export interface Dependency {
	readonly name: string;
	/** As written: a range, a version, a URL without credentials; `*` where none is given. */
	readonly range: string;
	readonly kind: DependencyKind;
}

/** What a manifest says, in the same words for each ecosystem. */
export interface Manifest {
	readonly ecosystem: "npm" | "pypi" | "go" | "cargo" | "maven";
	/** Undefined where the file describes no package of its own (requirements.txt, a workspace root). */
	readonly name?: string;
	readonly version?: string;
	readonly description?: string;
	readonly dependencies: readonly Dependency[];
	/** Globs or paths of the members of a workspace. */
	readonly workspaces?: readonly string[];
	/** Dependencies whose code comes from elsewhere: name → what replaces it. */
	readonly replaces?: ReadonlyMap<string, string>;
}

export type ManifestResult =
	| { readonly ok: true; readonly manifest: Manifest }
	| { readonly ok: false; readonly skip: Skip };

export type ManifestReader = (text: string) => ManifestResult;
