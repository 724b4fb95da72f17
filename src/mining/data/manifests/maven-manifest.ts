import { readXml } from "../bounded-documents.js";
import { asList, asRecord, asText, at, entriesOf } from "../untyped.js";
import type { Dependency, DependencyKind, ManifestReader } from "./manifest.js";

const KINDS: ReadonlyMap<string, DependencyKind> = new Map([
	["test", "dev"],
	["provided", "peer"],
	["import", "managed"],
]);
const MAX_ROUNDS = 5;
const MAX_VALUE = 500;

/** pom.xml: coordinates with the properties of the same file put in. Nothing is fetched and no entity is expanded. */
export const readPom: ManifestReader = (text) => {
	const parsed = readXml(text);
	if (!parsed.ok) return parsed;
	const project = at(parsed.value, "project");
	if (asRecord(project) === undefined)
		return { ok: false, skip: { reason: "parse", detail: "pom.xml holds no project" } };
	const values = properties(project);
	const read = (value: unknown, ...path: readonly string[]): string | undefined => {
		const found = asText(at(value, ...path));
		return found === undefined ? undefined : substituted(decoded(found.trim()), values);
	};
	const group = read(project, "groupId") ?? read(project, "parent", "groupId");
	const artifact = read(project, "artifactId");
	const dependencyOf = (value: unknown, fallback: DependencyKind): Dependency[] => {
		const [groupId, artifactId] = [read(value, "groupId"), read(value, "artifactId")];
		if (!groupId || !artifactId) return [];
		const kind = at(value, "optional") === "true" ? "optional" : (KINDS.get(read(value, "scope") ?? "") ?? fallback);
		return [{ name: `${groupId}:${artifactId}`, range: read(value, "version") ?? "*", kind }];
	};
	const profiles = many(at(project, "profiles", "profile"));
	const dependencies = [
		...many(at(project, "parent")).flatMap((parent) => dependencyOf(parent, "build")),
		...[project, ...profiles].flatMap((part) =>
			many(at(part, "dependencies", "dependency")).flatMap((value) => dependencyOf(value, "runtime")),
		),
		// What is managed is not yet used; an imported bill of materials is.
		...many(at(project, "dependencyManagement", "dependencies", "dependency"))
			.flatMap((value) => dependencyOf(value, "runtime"))
			.filter((dependency) => dependency.kind === "managed"),
	];
	return {
		ok: true,
		manifest: {
			ecosystem: "maven",
			name: group && artifact ? `${group}:${artifact}` : undefined,
			version: read(project, "version") ?? read(project, "parent", "version"),
			description: read(project, "description"),
			dependencies,
			workspaces: many(at(project, "modules", "module")).flatMap((module) => asText(module) ?? []),
		},
	};
};

/** One element is an object, several are a list. */
function many(value: unknown): readonly unknown[] {
	return value === undefined || value === "" ? [] : Array.isArray(value) ? asList(value) : [value];
}

function properties(project: unknown): ReadonlyMap<string, string> {
	const values = new Map<string, string>();
	for (const [name, value] of entriesOf(at(project, "properties"))) {
		const text = asText(value);
		if (text !== undefined) values.set(name, text.trim().slice(0, MAX_VALUE));
	}
	for (const prefix of ["project.", "pom.", ""]) {
		for (const name of ["groupId", "artifactId", "version"]) {
			const value =
				asText(at(project, name)) ?? (name === "artifactId" ? undefined : asText(at(project, "parent", name)));
			if (value !== undefined && !values.has(prefix + name))
				values.set(prefix + name, value.trim().slice(0, MAX_VALUE));
		}
		const parent = asText(at(project, "parent", "version"));
		if (parent !== undefined) values.set(`${prefix}parent.version`, parent.trim().slice(0, MAX_VALUE));
	}
	return values;
}

/** Properties may use properties; rounds and length are bounded, because they may also use themselves. */
function substituted(text: string, values: ReadonlyMap<string, string>): string {
	let current = text.slice(0, MAX_VALUE);
	for (let round = 0; round < MAX_ROUNDS && current.includes("${"); round += 1) {
		current = current
			.replace(/\$\{([^${}]{1,200})\}/g, (whole, name: string) => values.get(name) ?? whole)
			.slice(0, MAX_VALUE);
	}
	return current;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
	["&lt;", "<"],
	["&gt;", ">"],
	["&quot;", '"'],
	["&apos;", "'"],
	["&amp;", "&"],
]);

/** The five entities that XML itself defines: the parser expands none. */
function decoded(text: string): string {
	return text.replace(/&(?:lt|gt|quot|apos|amp);/g, (entity) => ENTITIES.get(entity) ?? entity);
}
