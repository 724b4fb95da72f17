import { createHash } from "node:crypto";
import { compareBytes } from "../../../domain/byte-order.js";
import { canonicalJson, type JsonObject } from "../../../domain/digest.js";
import { EDGE_KINDS, type EntityKind, type GraphRecord, type ProvidedName } from "../../../domain/entities.js";
import type { Seq } from "../../../domain/snapshot.js";
import { CURRENT, edgePredicate } from "./dgraph-schema.js";

export interface TermNode {
	readonly uid: string;
	readonly "lode.text"?: string;
}

/** A state as a query with `STATE_FIELDS` gives it. */
export type StateNode = { readonly uid: string } & Readonly<Partial<Record<StateText, string>>> &
	Readonly<{ "lode.added"?: number; "lode.removed"?: number; "lode.of"?: TermNode; "lode.at"?: TermNode }> &
	Readonly<{ "lode.p"?: readonly TermNode[] }> &
	Readonly<Record<`lode.e_${string}`, readonly TermNode[] | undefined>>;

type StateText =
	`lode.${"id" | "ain" | "rin" | "src" | "org" | "kind" | "kname" | "source" | "origin" | "key" | "name" | "props" | "provides" | "digest" | "checksum" | "inst"}`;

/** What merged entities are made of. */
export const CONTENT_FIELDS = "lode.source lode.origin lode.key lode.kind lode.name lode.props";
/** What a record is made of: its edges are read as edges, not as a copy of them. */
export const RECORD_FIELDS = `${CONTENT_FIELDS} lode.added lode.removed lode.provides ${EDGE_KINDS.map(
	(kind) => `${edgePredicate(kind)} { lode.text }`,
).join(" ")}`;

/** The record, from the stored content. Texts that are missing are empty, so that the digest tells. */
export function toRecord(node: StateNode): GraphRecord {
	return {
		source: node["lode.source"] ?? "",
		origin: node["lode.origin"] ?? "",
		key: node["lode.key"] ?? "",
		kind: (node["lode.kind"] ?? "") as EntityKind,
		name: node["lode.name"] ?? "",
		props: readProps(node["lode.props"] ?? ""),
		edges: EDGE_KINDS.flatMap((kind) =>
			(node[edgePredicate(kind) as `lode.e_${string}`] ?? []).map((term) => ({ kind, to: term["lode.text"] ?? "" })),
		).sort((a, b) => compareBytes(a.kind, b.kind) || compareBytes(a.to, b.to)),
		provides: readProvides(node["lode.provides"]),
	};
}

/** Damaged text must change the digest and never stop a verification half-way. */
export function readProps(text: string): JsonObject {
	try {
		return JSON.parse(text) as JsonObject;
	} catch {
		return { damaged: text };
	}
}

/** `[[rank, name], …]` */
export const providesText = (provides: readonly ProvidedName[]): string =>
	canonicalJson(provides.map(({ rank, name }) => [rank, name]));

export function readProvides(text: string | undefined): ProvidedName[] {
	try {
		return (JSON.parse(text ?? "[]") as [number, string][]).map(([rank, name]) => ({ rank, name }));
	} catch {
		return [{ rank: -1, name: text ?? "" }];
	}
}

/** Covers what may change in a state besides its content. */
export const lifetimeChecksum = (digest: string, addedAt: Seq, removedAt: Seq): string =>
	createHash("sha256")
		.update(`${digest} ${addedAt} ${removedAt === CURRENT ? "current" : removedAt}`)
		.digest("hex")
		.slice(0, 32);
