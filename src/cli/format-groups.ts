import type { GroupChangeReport } from "../services/groups/change-groups.js";
import type { GroupReport } from "../services/groups/group-report.js";
import { table } from "./format.js";

/** How groups look to people. */

const all = (globs: readonly string[]): string => (globs.length === 0 ? "-" : globs.join(" "));

function kept({ maxVersions, ttl }: GroupReport["retention"]): string {
	const bounds = [
		...(maxVersions === undefined ? [] : [`${maxVersions} versions`]),
		...(ttl === undefined ? [] : [`${ttl} s`]),
	];
	return bounds.length === 0 ? "all" : bounds.join(" or ");
}

export function groupsText(groups: readonly GroupReport[]): string {
	if (groups.length === 0) return "No groups yet: every source has one. Ingest one: lode ingest PATH_OR_URL";
	return table(
		["source", "group", "state", "path", "include", "exclude", "model", "chunks of", "keeps"],
		groups.map((group) => [
			group.source,
			group.name,
			group.state,
			group.path || "-",
			all(group.include),
			all(group.exclude),
			group.indexing.model,
			String(group.indexing.chunkSize),
			kept(group.retention),
		]),
	);
}

export function groupText(group: Omit<GroupReport, "state"> & { readonly state: string }): string {
	const { indexing } = group;
	const rows: (readonly [string, string])[] = [
		["state", group.state],
		["path", group.path || "-"],
		["include", all(group.include)],
		["exclude", all(group.exclude)],
		["grouping", group.grouping],
		...group.rules.map(({ name, globs }) => ["  rule", `${name}: ${all(globs)}`] as const),
		["model", indexing.model],
		["chunks", `${indexing.chunkSize} characters, ${indexing.overlap} overlap`],
		["keeps", kept(group.retention)],
	];
	if (group.serves) {
		const { path, include, exclude, indexing: served } = group.serves;
		rows.push(["until then", `${path || "-"}  ${all(include)}  without ${all(exclude)}`]);
		rows.push(["", `${served.model}, ${served.chunkSize} characters, ${served.overlap} overlap`]);
	}
	return [`${group.name} of ${group.source}`, ...rows.map(([name, value]) => `  ${name.padEnd(10)}  ${value}`)].join(
		"\n",
	);
}

export function changedText(report: GroupChangeReport): string {
	const { reindex, name, source } = report;
	const what = report.state === "deleted" || report.state === "deleting" ? "Deleted" : "Saved";
	const said = `${what} group ${name} of ${source}`;
	if (reindex === null) return `${said}; the index stays as it is`;
	if (reindex.outcome === "started")
		return `${said}; the index follows while Lode runs (lode dev): lode group show ${source} ${name}`;
	if (reindex.snapshot === null) return `${said}; nothing of the source is published yet`;
	return `${said}: in snapshot ${reindex.snapshot} (${reindex.embedded} texts embedded, ${reindex.reused} reused)`;
}
