import { canonicalJson } from "../../../domain/digest.js";
import { EDGE_KINDS, normalRecordDigest } from "../../../domain/entities.js";
import { errorCode } from "../../../domain/errors.js";
import type { StoreProblem } from "../../versioned.port.js";
import type { DgraphConnection } from "./dgraph-client.js";
import { readMark } from "./dgraph-guard.js";
import type { DgraphRecords } from "./dgraph-records.js";
import { CURRENT, EDGE_PREDICATES, edgePredicate } from "./dgraph-schema.js";
import { type GraphIds, isNameKey } from "./graph-ids.js";
import { lifetimeChecksum, RECORD_FIELDS, type StateNode, toRecord } from "./stored-state.js";

/** A report longer than this helps nobody. */
const MAX_PROBLEMS = 1_000;
const REFERRING = ["lode.of", "lode.at", "lode.p", ...EDGE_PREDICATES];
const CHECKED_FIELDS = `${RECORD_FIELDS} lode.id lode.inst lode.ain lode.rin lode.src lode.org lode.kname lode.digest lode.checksum
	lode.of { lode.text } lode.at { lode.text } lode.p { lode.text }`;

type TermNode = { uid: string } & Record<string, unknown>;

/** Compares every record with what it was when it was staged, with its indices, and every term with those that refer to it. */
export async function checkDgraph(
	connection: DgraphConnection,
	ids: GraphIds,
	records: DgraphRecords,
): Promise<StoreProblem[]> {
	const problems: StoreProblem[] = [];
	await records.forEach(
		`eq(lode.inst, "${ids.installation}|states")`,
		"",
		(node) => {
			const problem = problems.length < MAX_PROBLEMS ? problemOf(node, ids) : undefined;
			if (problem === undefined) return;
			const source = node["lode.source"];
			const record = `${node["lode.origin"] ?? "state"} ${node["lode.key"] ?? node.uid}`;
			problems.push({ ...(source !== undefined && { source }), record, problem });
		},
		CHECKED_FIELDS,
	);
	const counts = REFERRING.map((predicate) => `count(~${predicate})`).join(" ");
	await records.forEach(
		`eq(lode.inst, "${ids.installation}")`,
		"",
		(node) => {
			const problem = problems.length < MAX_PROBLEMS ? problemOfTerm(node as unknown as TermNode, ids) : undefined;
			const text = (node as unknown as TermNode)["lode.text"];
			if (problem !== undefined) problems.push({ record: String(text ?? node.uid), problem });
		},
		`lode.id lode.text lode.tk lode.tsrc ${counts}`,
	);
	const { mark } = await connection.query<{ mark: { "lode.closed"?: string }[] }>(
		"read the mark of closed seqs",
		`{ mark(func: eq(lode.id, "${ids.closedMark}")) { lode.closed } }`,
	);
	try {
		readMark(mark[0]?.["lode.closed"]);
	} catch (error) {
		if (errorCode(error) !== "STORE_CORRUPT") throw error;
		problems.push({ record: "closed seqs", problem: (error as Error).message });
	}
	return problems.slice(0, MAX_PROBLEMS);
}

function problemOf(node: StateNode, ids: GraphIds): string | undefined {
	const record = toRecord(node);
	const { source, origin, key, kind, name } = record;
	const [added, removed] = [node["lode.added"] ?? -1, node["lode.removed"] ?? -1];
	const digest = node["lode.digest"] ?? "";
	if (normalRecordDigest(record) !== digest) return "its content, edges or names are not those that were staged";
	if (canonicalJson(record.props) !== node["lode.props"])
		return "its properties are written otherwise than they were staged";
	if (lifetimeChecksum(digest, added, removed) !== node["lode.checksum"])
		return "its lifetime is not the one that was recorded";
	const retired = removed === CURRENT ? undefined : ids.seq(removed);
	if (node["lode.ain"] !== ids.seq(added) || node["lode.rin"] !== retired)
		return "it is not found by the seqs that added and retired it";
	if (node["lode.id"] !== ids.state(source, origin, key, added)) return "it is not found by its identity";
	if (node["lode.src"] !== ids.source(source) || node["lode.org"] !== ids.origin(source, origin))
		return "it is not found by its source or origin";
	if (node["lode.kname"] !== ids.kindName(kind, name)) return "it is not found by its name";
	if (node["lode.of"]?.["lode.text"] !== key) return "it belongs to another entity";
	if (node["lode.at"]?.["lode.text"] !== origin) return "it belongs to another origin";
	const names = (node["lode.p"] ?? []).map((term) => term["lode.text"] ?? "").sort();
	const provided = [...new Set(record.provides.map((one) => one.name))].sort();
	if (canonicalJson(names) !== canonicalJson(provided)) return "a name of it leads to another entity";
	for (const edge of EDGE_KINDS) {
		const terms = node[edgePredicate(edge) as `lode.e_${string}`] ?? [];
		if (terms.some((term) => term["lode.text"] === undefined)) return "an edge of it leads nowhere";
	}
	return undefined;
}

function problemOfTerm(node: TermNode, ids: GraphIds): string | undefined {
	const text = node["lode.text"];
	if (typeof text !== "string") return "its text is missing";
	if (REFERRING.every((predicate) => !node[`count(~${predicate})`])) return "all that referred to this text is gone";
	// The source of an origin is known by its hash alone, so of its id only the kind can be judged.
	if (node["lode.tk"] === "o")
		return String(node["lode.id"]).startsWith("o:") ? undefined : "it is not found by its text";
	if (node["lode.id"] !== ids.term(text)) return "it is not found by its text";
	return node["lode.tk"] === (isNameKey(text) ? "n" : "e") ? undefined : "its kind is not that of its text";
}
