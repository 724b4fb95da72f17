import { packageKey } from "../../../domain/keys.js";
import type { Skip } from "../../../domain/mined-file.js";
import type { FileInput } from "../../extractor.js";
import { readYaml } from "../bounded-documents.js";
import { withoutCredentials } from "../bounded-text.js";
import type { StateSet } from "../state-set.js";
import { asList, asText, at } from "../untyped.js";

const ECOSYSTEM = "dbt";

/** dbt_project.yml: the project is a package that the file defines. */
export function stateDbtProject(input: FileInput, states: StateSet): Skip[] {
	const parsed = readYaml(input.text ?? "");
	if (!parsed.ok) return [parsed.skip];
	const name = asText(at(parsed.value, "name"))?.trim();
	if (name === undefined || !/^\w{1,100}$/.test(name)) return [];
	const project = states.state(packageKey(ECOSYSTEM, name), "package", name);
	project.prop("ecosystem", ECOSYSTEM).prop("version", asText(at(parsed.value, "version"))?.slice(0, 100));
	states.file(input).edge("DEFINES", project.key);
	return [];
}

/** packages.yml, dependencies.yml: they do not name the project, so that the file itself depends on the packages. */
export function stateDbtPackages(input: FileInput, states: StateSet): Skip[] {
	const parsed = readYaml(input.text ?? "");
	if (!parsed.ok) return [parsed.skip];
	const dependencies: [string, string][] = [];
	for (const entry of asList(at(parsed.value, "packages"))) {
		const name = asText(at(entry, "package")) ?? repositoryName(asText(at(entry, "git")));
		const version = at(entry, "version") ?? at(entry, "revision");
		const range = asList(version).length > 0 ? asList(version).map(asText).join(", ") : asText(version);
		if (name !== undefined) dependencies.push([name, range ?? "*"]);
	}
	for (const entry of asList(at(parsed.value, "projects"))) {
		const name = asText(at(entry, "name"));
		if (name !== undefined) dependencies.push([name, "*"]);
	}
	const file = states.file(input);
	const ranges = new Map<string, string>();
	for (const [name, range] of dependencies) {
		if (!/^[\w.-]{1,100}(?:\/[\w.-]{1,100})?$/.test(name)) continue;
		const target = states.state(packageKey(ECOSYSTEM, name), "package", name).prop("ecosystem", ECOSYSTEM);
		file.edge("DEPENDS_ON", target.key);
		ranges.set(name, withoutCredentials(range).slice(0, 200));
	}
	if (ranges.size > 0) file.prop("dependencies", Object.fromEntries(ranges));
	return [];
}

/** `https://github.com/acme/dbt_tools.git` → `acme/dbt_tools`; the host may hold credentials and says nothing. */
function repositoryName(url: string | undefined): string | undefined {
	const match = /([\w.-]{1,100})\/([\w.-]{1,100}?)(?:\.git)?\/?$/.exec(url ?? "");
	return match === null ? undefined : `${match[1]}/${match[2]}`;
}
