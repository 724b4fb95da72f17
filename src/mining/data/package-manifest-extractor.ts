import { posix } from "node:path";
import { packageKey } from "../../domain/keys.js";
import type { Extraction, Extractor } from "../extractor.js";
import { propertyText, withoutCredentials } from "./bounded-text.js";
import { readCargoToml } from "./manifests/cargo-manifest.js";
import { readGoMod } from "./manifests/go-manifest.js";
import type { Manifest, ManifestReader } from "./manifests/manifest.js";
import { readPom } from "./manifests/maven-manifest.js";
import { readPackageJson } from "./manifests/npm-manifest.js";
import { readPyproject, readRequirements, readSetupCfg } from "./manifests/python-manifests.js";
import { type StateDraft, StateSet } from "./state-set.js";

const MAX_CHARACTERS = 2 * 1024 * 1024;
const MAX_DEPENDENCIES = 5_000;
const MAX_RANGE = 200;

const READERS: readonly [RegExp, ManifestReader][] = [
	[/^package\.json$/, readPackageJson],
	[/^pyproject\.toml$/, readPyproject],
	[/^requirements[\w.-]*\.(?:txt|in)$|^[\w-]+[-_.]requirements\.txt$/, readRequirements],
	[/^setup\.cfg$/, readSetupCfg],
	[/^go\.mod$/, readGoMod],
	[/^Cargo\.toml$/, readCargoToml],
	[/^pom\.xml$/, readPom],
];

/** What a registry could call a package; anything else is noise or an attack on whoever prints it. */
const NAMES: Readonly<Record<Manifest["ecosystem"], RegExp>> = {
	npm: /^(?:@[\w.~-]{1,100}\/)?[A-Za-z0-9~-][\w.~-]{0,213}$/,
	pypi: /^[a-z0-9](?:[a-z0-9-]{0,198}[a-z0-9])?$/,
	go: /^[A-Za-z0-9][\w.~/!+-]{0,299}$/,
	cargo: /^[A-Za-z0-9][\w-]{0,99}$/,
	maven: /^[\w.${}-]{1,150}:[\w.${}-]{1,150}$/,
};

function readerOf(path: string): ManifestReader | undefined {
	const name = posix.basename(path);
	if (/(?:^|\/)requirements\/[^/]+\.(?:txt|in)$/.test(path)) return readRequirements;
	return READERS.find(([pattern]) => pattern.test(name))?.[1];
}

/** npm, Python, Go, Cargo and Maven manifests: the package that a file defines, and what it depends on. No lock files. */
export const packageManifestExtractor: Extractor = {
	name: "package-manifest",
	version: 1,
	matches: (input) => input.text !== undefined && readerOf(input.path) !== undefined,
	extract(input): Extraction {
		const text = input.text ?? "";
		const read = readerOf(input.path);
		if (text.length > MAX_CHARACTERS || read === undefined) {
			const detail = `a manifest of more than ${MAX_CHARACTERS} characters`;
			return { states: [], regions: [], skips: [{ reason: "too_large", detail }] };
		}
		const result = read(text);
		if (!result.ok) return { states: [], regions: [], skips: [result.skip] };
		const states = new StateSet();
		const { manifest } = result;
		const isNamed = manifest.name !== undefined && NAMES[manifest.ecosystem].test(manifest.name);
		const stating = isNamed ? ownPackage(states, manifest, manifest.name as string) : states.file(input);
		if (isNamed) states.file(input).edge("DEFINES", stating.key);
		stateDependencies(states, stating, manifest);
		return { states: states.build(), regions: [], skips: [] };
	},
};

function ownPackage(states: StateSet, manifest: Manifest, name: string): StateDraft {
	const own = states.state(packageKey(manifest.ecosystem, name), "package", name);
	own.prop("ecosystem", manifest.ecosystem).prop("version", manifest.version?.slice(0, 100));
	return own.prop("description", propertyText(manifest.description ?? ""));
}

function stateDependencies(states: StateSet, stating: StateDraft, manifest: Manifest): void {
	const ranges = new Map<string, string>();
	const kinds = new Map<string, string>();
	for (const { name, range, kind } of manifest.dependencies) {
		if (!NAMES[manifest.ecosystem].test(name) || ranges.size >= MAX_DEPENDENCIES) continue;
		// Extras and tools may repeat what is needed anyway: the first mention is the strongest.
		if (ranges.has(name)) continue;
		ranges.set(name, withoutCredentials(range).slice(0, MAX_RANGE));
		if (kind !== "runtime") kinds.set(name, kind);
		const target = states.state(packageKey(manifest.ecosystem, name), "package", name);
		target.prop("ecosystem", manifest.ecosystem);
		// A package may list itself, for its extras.
		if (target.key !== stating.key) stating.edge("DEPENDS_ON", target.key);
	}
	stating.prop("dependencies", sorted(ranges)).prop("dependencyKinds", sorted(kinds));
	const workspaces = (manifest.workspaces ?? []).slice(0, 1_000).map((glob) => glob.slice(0, MAX_RANGE));
	if (workspaces.length > 0) stating.prop("workspaces", workspaces);
	const replaces = [...(manifest.replaces ?? [])].slice(0, MAX_DEPENDENCIES);
	stating.prop(
		"replaces",
		sorted(new Map(replaces.map(([name, target]) => [name, withoutCredentials(target).slice(0, MAX_RANGE)]))),
	);
}

function sorted(map: ReadonlyMap<string, string>): Record<string, string> | undefined {
	if (map.size === 0) return undefined;
	return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
