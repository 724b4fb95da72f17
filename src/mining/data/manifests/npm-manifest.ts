import { readJson } from "../bounded-documents.js";
import { asList, asRecord, asText, at, entriesOf } from "../untyped.js";
import type { Dependency, DependencyKind, ManifestReader } from "./manifest.js";

/** The first section that names a package decides its kind: npm installs a peer or optional one as what it is there. */
const SECTIONS: readonly [string, DependencyKind][] = [
	["dependencies", "runtime"],
	["peerDependencies", "peer"],
	["optionalDependencies", "optional"],
	["devDependencies", "dev"],
];

export const readPackageJson: ManifestReader = (text) => {
	const parsed = readJson(text);
	if (!parsed.ok) return parsed;
	if (asRecord(parsed.value) === undefined)
		return { ok: false, skip: { reason: "parse", detail: "package.json is no object" } };
	const dependencies = SECTIONS.flatMap(([section, kind]) =>
		entriesOf(at(parsed.value, section)).map(
			([name, range]): Dependency => ({ name, range: asText(range) ?? "*", kind }),
		),
	);
	const listed = at(parsed.value, "workspaces");
	const workspaces = asList(asList(listed).length > 0 ? listed : at(listed, "packages")).flatMap(
		(glob) => asText(glob) ?? [],
	);
	return {
		ok: true,
		manifest: {
			ecosystem: "npm",
			name: asText(at(parsed.value, "name")),
			version: asText(at(parsed.value, "version")),
			description: asText(at(parsed.value, "description")),
			dependencies,
			workspaces,
		},
	};
};
