import { readToml } from "../bounded-documents.js";
import { asList, asText, at, entriesOf } from "../untyped.js";
import type { Dependency, DependencyKind, Manifest, ManifestReader } from "./manifest.js";
import { normalisedPythonName, readRequirement } from "./python-requirement.js";

/** pyproject.toml: PEP 621, PEP 735 dependency groups, build requirements, Poetry. */
export const readPyproject: ManifestReader = (text) => {
	const parsed = readToml(text);
	if (!parsed.ok) return parsed;
	const { value } = parsed;
	const poetry = at(value, "tool", "poetry");
	const dependencies = [
		...requirements(at(value, "project", "dependencies"), "runtime"),
		...entriesOf(at(value, "project", "optional-dependencies")).flatMap(([, list]) => requirements(list, "optional")),
		...entriesOf(at(value, "dependency-groups")).flatMap(([, list]) => requirements(list, "dev")),
		...requirements(at(value, "build-system", "requires"), "build"),
		...poetryDependencies(at(poetry, "dependencies"), "runtime"),
		...poetryDependencies(at(poetry, "dev-dependencies"), "dev"),
		...entriesOf(at(poetry, "group")).flatMap(([, group]) => poetryDependencies(at(group, "dependencies"), "dev")),
	];
	const own = (key: string) => asText(at(value, "project", key)) ?? asText(at(poetry, key));
	return { ok: true, manifest: python(own("name"), own("version"), own("description"), dependencies) };
};

/** requirements.txt as pip reads it; options and included files are left out. */
export const readRequirements: ManifestReader = (text) => {
	const dependencies = text
		.replace(/\\\r?\n/g, " ")
		.split(/\r?\n/)
		.flatMap((line) => {
			const bare = line.replace(/(?:^|\s)#.*$/, "").trim();
			const egg =
				/^(?:-e|--editable)\b/.test(bare) || /^[a-z+]{2,10}:\/\//.test(bare) ? /#egg=([\w.-]{1,200})/.exec(line) : null;
			if (egg !== null) return readRequirement(egg[1] as string, "runtime") ?? [];
			if (bare.startsWith("-")) return [];
			return readRequirement(bare.split(/\s--[a-z]/, 1)[0] ?? "", "runtime") ?? [];
		});
	return { ok: true, manifest: python(undefined, undefined, undefined, dependencies) };
};

/** setup.cfg of setuptools. */
export const readSetupCfg: ManifestReader = (text) => {
	const sections = readIni(text);
	const metadata = sections.get("metadata");
	const options = sections.get("options");
	const dependencies = [
		...lines(options?.get("install_requires"), "runtime"),
		...lines(options?.get("setup_requires"), "build"),
		...lines(options?.get("tests_require"), "dev"),
		...[...(sections.get("options.extras_require")?.values() ?? [])].flatMap((list) => lines(list, "optional")),
	];
	const version = metadata?.get("version");
	// `attr: package.__version__` is computed elsewhere.
	const fixed = version !== undefined && /^(?:attr|file):/.test(version) ? undefined : version;
	return { ok: true, manifest: python(metadata?.get("name"), fixed, metadata?.get("description"), dependencies) };
};

function python(
	name: string | undefined,
	version: string | undefined,
	description: string | undefined,
	dependencies: readonly Dependency[],
): Manifest {
	const own = name === undefined || name.trim() === "" ? undefined : normalisedPythonName(name.trim());
	return { ecosystem: "pypi", name: own, version, description, dependencies };
}

function requirements(list: unknown, kind: DependencyKind): Dependency[] {
	// Tables in a group include another group of the same file.
	return asList(list).flatMap((item) => (typeof item === "string" ? (readRequirement(item, kind) ?? []) : []));
}

function lines(list: string | undefined, kind: DependencyKind): Dependency[] {
	return (list ?? "").split("\n").flatMap((line) => readRequirement(line.replace(/(?:^|\s)#.*$/, ""), kind) ?? []);
}

/** `name = "^1.2"`, `name = {version = "^1.2", optional = true}`, `name = [{...}, {...}]`. */
function poetryDependencies(table: unknown, kind: DependencyKind): Dependency[] {
	return entriesOf(table).flatMap(([name, value]): Dependency[] => {
		const found = readRequirement(name, kind);
		if (found === undefined || found.name === "python") return [];
		const one = asList(value)[0] ?? value;
		const range = asText(one) ?? asText(at(one, "version")) ?? asText(at(one, "git")) ?? asText(at(one, "path")) ?? "*";
		return [{ name: found.name, range, kind: at(one, "optional") === true ? "optional" : kind }];
	});
}

/** Sections of `key = value`, where a value goes on over indented lines. */
function readIni(text: string): Map<string, Map<string, string>> {
	const sections = new Map<string, Map<string, string>>();
	let section = new Map<string, string>();
	let key = "";
	for (const line of text.split(/\r?\n/)) {
		if (/^\s*(?:[#;]|$)/.test(line)) continue;
		const header = /^\[([^\]]{1,200})\]/.exec(line)?.[1];
		const at = line.search(/[=:]/);
		if (header !== undefined) {
			section = sections.get(header) ?? new Map();
			sections.set(header, section);
			key = "";
		} else if (/^\s/.test(line)) {
			if (key !== "") section.set(key, `${section.get(key) ?? ""}\n${line.trim()}`.trim());
		} else if (at > 0) {
			key = line.slice(0, at).trim().toLowerCase();
			section.set(key, line.slice(at + 1).trim());
		}
	}
	return sections;
}
