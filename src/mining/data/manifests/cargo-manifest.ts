import { readToml } from "../bounded-documents.js";
import { asList, asText, at, entriesOf } from "../untyped.js";
import type { Dependency, DependencyKind, ManifestReader } from "./manifest.js";

const SECTIONS: readonly [string, DependencyKind][] = [
	["dependencies", "runtime"],
	["build-dependencies", "build"],
	["dev-dependencies", "dev"],
];

/** Cargo.toml: dependencies for every target, and those that a workspace root states for its members. */
export const readCargoToml: ManifestReader = (text) => {
	const parsed = readToml(text);
	if (!parsed.ok) return parsed;
	const { value } = parsed;
	const targets = [value, ...entriesOf(at(value, "target")).map(([, target]) => target)];
	const dependencies = targets.flatMap((target) =>
		SECTIONS.flatMap(([section, kind]) => crates(at(target, section), kind)),
	);
	dependencies.push(...crates(at(value, "workspace", "dependencies"), "managed"));
	return {
		ok: true,
		manifest: {
			ecosystem: "cargo",
			name: asText(at(value, "package", "name")),
			// `version.workspace = true` stands in another file.
			version: asText(at(value, "package", "version")) ?? asText(at(value, "workspace", "package", "version")),
			description: asText(at(value, "package", "description")),
			dependencies,
			workspaces: asList(at(value, "workspace", "members")).flatMap((member) => asText(member) ?? []),
		},
	};
};

function crates(table: unknown, kind: DependencyKind): Dependency[] {
	return entriesOf(table).map(([key, value]): Dependency => {
		const range =
			asText(value) ?? asText(at(value, "version")) ?? asText(at(value, "git")) ?? asText(at(value, "path"));
		const own = at(value, "workspace") === true ? "workspace" : "*";
		const isOptional = kind === "runtime" && at(value, "optional") === true;
		// `package` is the crate's real name where the key renames it.
		return { name: asText(at(value, "package")) ?? key, range: range ?? own, kind: isOptional ? "optional" : kind };
	});
}
