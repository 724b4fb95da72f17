import type { Dependency, DependencyKind } from "./manifest.js";

/** PEP 503: what `Flask_SQLAlchemy` is called by everyone else. */
export function normalisedPythonName(name: string): string {
	return name.replace(/[-_.]+/g, "-").toLowerCase();
}

/** A PEP 508 requirement: `name[extra] >=1,<2 ; marker`, `name @ https://...`; undefined where it is none. */
export function readRequirement(text: string, kind: DependencyKind): Dependency | undefined {
	const requirement = text.slice(0, 1_000).trim();
	const name = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?(?![A-Za-z0-9._-])/.exec(requirement)?.[0];
	if (name === undefined) return undefined;
	let rest = requirement.slice(name.length).trimStart();
	if (rest.startsWith("[")) rest = rest.slice(rest.indexOf("]") + 1).trimStart();
	// A path or URL alone is no requirement: `src/thing`, `https://...`.
	if (rest !== "" && !/^[<>=!~@;(]/.test(rest)) return undefined;
	// Only a semicolon behind white space ends a URL.
	const range = (rest.startsWith("@") ? rest.split(/\s;/, 1)[0] : rest.split(";", 1)[0])?.replace(/\s+/g, " ").trim();
	return { name: normalisedPythonName(name), range: range?.replace(/^\((.*)\)$/, "$1") || "*", kind };
}
