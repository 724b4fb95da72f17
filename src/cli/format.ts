import { createRequire } from "node:module";
import type { ParkedReport, ReplayReport } from "../services/events/create-events.js";
import type { EventEnvelope } from "../services/events/envelope.js";
import type {
	DiffReport,
	GraphReport,
	IngestReport,
	RebuildReport,
	SearchHit,
	SearchReport,
	SourceLag,
	SourceReport,
	StatusReport,
	VerifyReport,
} from "../services/reports.js";

/** How reports look to people. Control characters are taken out where they are written (io.ts). */

const TEXT_LINES = 4;

/** Rows under bold-less headings, without frames: easy to read, to grep and to cut. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const Table = createRequire(import.meta.url)("cli-table3") as typeof import("cli-table3");
	const none = ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"];
	const lines = ["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"];
	const chars = Object.fromEntries([...none, ...lines].map((name) => [name, ""]));
	const built = new Table({
		head: [...head],
		chars: { ...chars, middle: "  " },
		style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
	});
	built.push(...rows.map((row) => row.map((cell) => cell.replace(/\s+/g, " "))));
	return built
		.toString()
		.split("\n")
		.map((line) => line.trimEnd())
		.join("\n");
}

const short = (commit: string | null | undefined): string => commit?.slice(0, 10) ?? "-";
const count = (value: number, one: string, many = `${one}s`): string => `${value} ${value === 1 ? one : many}`;
const seconds = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`);
const minute = (time: string): string => time.slice(0, 16).replace("T", " ");

export function ingestText(report: IngestReport): string {
	const commit = `${report.source} at ${short(report.commit)}`;
	if (report.outcome === "started") {
		const what = report.ingestion === null ? "it begins when its turn comes" : `ingestion ${report.ingestion}`;
		const ask = report.ingestion === null ? "lode status" : `lode status ${report.ingestion}`;
		return `Accepted: ${commit}, ${what}\nIt is done while Lode runs (lode dev); see it with: ${ask}`;
	}
	if (report.outcome === "unchanged") return `Nothing new: ${commit} is in snapshot ${report.snapshot} already`;
	if (report.outcome === "superseded") return `Superseded: a later commit of ${report.source} is published already`;
	const { files } = report;
	const failed = files.failed > 0 ? `, ${files.failed} not mined (see lode status ${report.ingestion})` : "";
	return [
		`Published ${commit} as snapshot ${report.snapshot} in ${seconds(report.durationMs)}`,
		`  files:   ${files.added} added, ${files.changed} changed, ${files.removed} removed${failed}`,
		`  graph:   ${count(report.entities, "entity state")}`,
		`  chunks:  ${report.chunks} (${report.embedded} embedded, ${report.reused} reused)`,
	].join("\n");
}

/** Indentation that all lines share is taken away; what is too wide is cut. */
function excerpt(text: string, width: number): string[] {
	const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
	const shown = lines.slice(0, TEXT_LINES).map((line) => line.slice(0, 2_000).replaceAll("\t", "  "));
	const indent = Math.min(...shown.map((line) => line.length - line.trimStart().length));
	const cut = shown.map((line) => `    ${line.slice(indent).trimEnd()}`.slice(0, width));
	return lines.length > TEXT_LINES ? [...cut, "    …"] : cut;
}

function hitText(hit: SearchHit, width: number): string {
	const symbol = hit.symbol === null ? "" : ` ${hit.symbol}`;
	const lines = hit.startLine === hit.endLine ? "" : ` to ${hit.endLine}`;
	const place = `${hit.path}:${hit.startLine}`;
	return [
		`${place}${lines}  ${hit.kind}${symbol}  ${hit.score.toFixed(3)}  ${hit.source}@${short(hit.commit)}`,
		...excerpt(hit.text, width),
		...aboutHit(hit),
	].join("\n");
}

/** What was asked for besides the text. */
function aboutHit({ context, provenance }: SearchHit): string[] {
	const lines: string[] = [];
	if (context) {
		const { entity, neighbours } = context;
		lines.push(`    of ${entity === null ? "nothing that the graph knows" : `${entity.name} (${entity.kind})`}`);
		for (const { edge, direction, name, kind } of neighbours)
			lines.push(`      ${direction === "out" ? `${edge} →` : `← ${edge}`} ${name} (${kind})`);
	}
	if (provenance) {
		const { commit, ingestion, workflowId, runId, model } = provenance;
		lines.push(
			`    brought by ${ingestion} of ${short(commit)}, workflow ${workflowId ?? "-"}, run ${runId ?? "-"}, model ${model}`,
		);
	}
	return lines;
}

export function searchText(report: SearchReport, width: number): string {
	const about = `${count(report.hits.length, "hit")} in snapshot ${report.snapshot}, ranked with ${report.model}, ${seconds(report.tookMs)}`;
	if (report.groups === undefined) return [...report.hits.map((hit) => hitText(hit, width)), about].join("\n\n");
	const groups = report.groups.map(({ key, hits }) =>
		[
			`${key === "" ? "(root)" : key}: ${count(hits.length, "hit")}`,
			...hits.flatMap((at) => report.hits[at] ?? []).map((hit) => hitText(hit, width)),
		].join("\n\n"),
	);
	return [...groups, about].join("\n\n");
}

export function graphText(report: GraphReport): string {
	const { entity } = report;
	const label = (key: string): string => {
		const other = key === entity.key ? entity : report.entities[key];
		return other === undefined ? key : `${other.name} (${other.kind})`;
	};
	const facts: (readonly [string, string])[] = [["key", entity.key]];
	for (const [name, value] of Object.entries(entity.props)) {
		if (value === undefined || value === null || value === "") continue;
		const text = typeof value === "string" ? value : JSON.stringify(value);
		facts.push([name, text.replace(/\s+/g, " ").slice(0, 200)]);
	}
	facts.push(["from", `${entity.origins.slice(0, 5).join(", ")}${entity.origins.length > 5 ? " …" : ""}`]);
	const wide = Math.max(...facts.map(([name]) => name.length));
	const lines = [
		`${entity.name}  ${entity.kind}`,
		...facts.map(([name, text]) => `  ${name.padEnd(wide)}  ${text}`),
		"",
	];
	const rows = report.edges.map((edge) => [String(edge.depth), label(edge.from), edge.kind, label(edge.to)]);
	lines.push(rows.length === 0 ? "No edges." : table(["depth", "from", "edge", "to"], rows));
	if (report.truncated) lines.push("There are more edges: raise --limit.");
	if (report.alternatives.length > 0) {
		lines.push("", "The name also stands for:", ...report.alternatives.map((other) => `  ${other.key}`));
	}
	return [...lines, "", `snapshot ${report.snapshot}`].join("\n");
}

export function sourcesText(sources: readonly SourceReport[]): string {
	if (sources.length === 0) return "No sources yet. Ingest one: lode ingest PATH_OR_URL";
	const asked = sources.some(({ lag }) => lag !== undefined);
	const rows = table(
		[
			...["source", "kind", "branch", "commit"],
			...(asked ? ["head", "lag", "since (UTC)"] : []),
			...["snapshot", "files", "entities", "chunks", "webhooks", "model", "address"],
		],
		sources.map((source) => [
			source.id,
			source.kind,
			source.branch || "-",
			short(source.commit),
			...(asked ? lagCells(source.lag) : []),
			String(source.snapshot ?? "-"),
			String(source.files),
			String(source.entities),
			String(source.chunks),
			String(source.webhooks),
			source.model,
			source.address,
		]),
	);
	const problems = sources.flatMap(({ id, lag }) => (lag?.problem ? [`${id}: ${lag.problem}`] : []));
	return problems.length === 0 ? rows : [rows, "", ...problems].join("\n");
}

function lagCells(lag: SourceLag | undefined): string[] {
	if (lag === undefined) return ["-", "-", "-"];
	const many = lag.status === "behind" && lag.commits !== null ? `${lag.commits} ` : "";
	const said = lag.status === "current" ? "up to date" : `${many}${lag.status}`;
	return [short(lag.head), said, lag.since === null ? "-" : minute(lag.since)];
}

export function statusText(report: StatusReport): string {
	if (report.ingestions.length === 0) return "No ingestions yet. Start one: lode ingest PATH_OR_URL";
	const rows = report.ingestions.map((ingestion) => [
		ingestion.id,
		ingestion.source,
		short(ingestion.commit),
		ingestion.progress === undefined ? ingestion.status : `${ingestion.status}: ${ingestion.progress.stage}`,
		ingestion.progress !== undefined
			? `${ingestion.progress.filesDone}/${ingestion.progress.filesTotal}`
			: ingestion.stats === undefined
				? "-"
				: String(ingestion.stats.files.added + ingestion.stats.files.changed + ingestion.stats.files.removed),
		String(ingestion.snapshot ?? "-"),
		minute(ingestion.startedAt),
	]);
	const lines = [table(["ingestion", "source", "commit", "status", "files", "snapshot", "started (UTC)"], rows)];
	for (const { id, waiting = [] } of report.ingestions) {
		for (const { activity, attempt, code, message } of waiting) {
			const reason = code === undefined ? message : `${code}: ${message}`;
			lines.push("", `${id} waits: ${reason}`, `  ${activity} is tried again by itself (attempt ${attempt})`);
		}
	}
	for (const { id, status, failure } of report.ingestions) {
		if (failure === undefined) continue;
		lines.push("", `${id} ${status}: ${failure.code}: ${failure.message}`);
		if (failure.next !== undefined) lines.push(`  next: ${failure.next}`);
		if (status === "parked") lines.push(`  again: lode retry ${id}`);
	}
	if (report.parked > 0) lines.push("", `${count(report.parked, "parked ingestion")}: lode retry tries them again`);
	if (report.temporalUi !== null) lines.push("", `Temporal Web UI: ${report.temporalUi}`);
	return lines.join("\n");
}

export function verifyText(report: VerifyReport): string {
	const rows = Object.entries(report.stores).map(([name, { count, digest }]) => [name, String(count), digest]);
	const lines = [table(["store", "records", "digest"], rows), ""];
	for (const { store, record, problem } of report.problems) lines.push(`${store}: ${record}: ${problem}`);
	const problems = count(report.problems.length, "problem");
	lines.push(report.ok ? `Snapshot ${report.snapshot} is sound` : `Snapshot ${report.snapshot} has ${problems}`);
	return lines.join("\n");
}

export function rebuildText(report: RebuildReport): string {
	const { events, sources, entries, restaged, discarded, nextSeq } = report;
	const lines = [
		`Restored ${count(events, "event")}, ${count(sources, "source")} and ${count(entries, "manifest entry", "manifest entries")}`,
		...(discarded > 0 ? [`Discarded ${count(discarded, "seq")} that the archive does not know`] : []),
		`Filled anew: ${restaged.join(", ") || "nothing, graph and vectors are intact"}`,
		`The next ingestion gets seq ${nextSeq}`,
		"",
	];
	if (report.snapshot === null) return [...lines, "Nothing is published"].join("\n");
	return lines.join("\n") + verifyText({ ...report, snapshot: report.snapshot });
}

export function diffText(report: DiffReport): string {
	const list = (sign: string, changes: DiffReport["added"]) =>
		changes.map((change) => `${sign} ${change.kind.padEnd(15)} ${change.name}  ${change.key}`);
	const lines = [...list("+", report.added), ...list("-", report.removed), ...list("~", report.changed)];
	const summary = `${report.added.length} added, ${report.removed.length} removed, ${report.changed.length} changed`;
	return [...lines, `${report.source} from ${short(report.from)} to ${short(report.to)}: ${summary}`].join("\n");
}

/** One line an event: where, when, what, whereof. */
export function eventsText(events: readonly EventEnvelope[]): string {
	if (events.length === 0) return "No events";
	return events
		.map(({ sequence_number, timestamp, event_type, stream_id, version }) =>
			[String(sequence_number).padStart(6), timestamp, event_type.padEnd(22), `${stream_id} ${version}`].join("  "),
		)
		.join("\n");
}

export function parkedText({ parked, waiting, bytes }: ParkedReport): string {
	const rest = `${waiting} waiting; the ledger has ${bytes} bytes`;
	if (parked.length === 0) return `Nothing is parked, ${rest}`;
	const rows = parked.map(({ id, parkedAt, sender, event, repository, branch, reason }) => [
		id,
		minute(parkedAt),
		sender,
		event,
		repository[0] ?? "-",
		branch ?? "-",
		reason,
	]);
	return [
		table(["receipt", "parked (UTC)", "sender", "event", "repository", "branch", "reason"], rows),
		"",
		`${parked.length} parked, ${rest}`,
		"Again: lode events replay RECEIPT, or --all",
	].join("\n");
}

export function replayText({ replayed, gateway }: ReplayReport): string {
	if (replayed.length === 0) return "Nothing that is parked was meant.";
	const again = `${count(replayed.length, "receipt waits", "receipts wait")} again`;
	return gateway ? `${again}; the gateway dispatches` : `${again}; the gateway dispatches what waits when it starts`;
}
