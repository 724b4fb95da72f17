import type { Type } from "@nestjs/common";
import { ArgsType, Field, Int, ObjectType } from "@nestjs/graphql";
import { LodeError } from "../../domain/errors.js";
import { numberedAt } from "../../services/at.js";
import type { LodeView } from "../../services/viewing/lode-view.js";
import type { Page, PageRequest } from "../../services/viewing/page.js";

/** Relay's connections, forwards. A cursor holds the snapshot that its page came from, so that the pages of a list belong together. */

const DEFAULT_FIRST = 20;
const MOST_FIRST = 100;

@ObjectType()
export class PageInfo {
	@Field()
	hasNextPage!: boolean;
	@Field()
	hasPreviousPage!: boolean;
	@Field(() => String, { nullable: true })
	startCursor!: string | null;
	@Field(() => String, { nullable: true })
	endCursor!: string | null;
}

export interface Connection<T> {
	readonly edges: readonly { readonly cursor: string; readonly node: T }[];
	readonly nodes: readonly T[];
	readonly pageInfo: PageInfo;
}

/** The type of a connection to nodes of one type. */
export function connectionType<T>(node: Type<T>, name: string): Type<Connection<T>> {
	@ObjectType(`${name}Edge`)
	class Edge {
		@Field()
		cursor!: string;
		@Field(() => node)
		node!: T;
	}
	@ObjectType(`${name}Connection`)
	class NodeConnection implements Connection<T> {
		@Field(() => [Edge])
		edges!: Edge[];
		@Field(() => [node], { description: "The nodes of the edges, for readers that need no cursors in between." })
		nodes!: T[];
		@Field(() => PageInfo)
		pageInfo!: PageInfo;
	}
	return NodeConnection;
}

@ArgsType()
export class PageArgs {
	@Field(() => Int, { nullable: true, description: `1 to ${MOST_FIRST}; ${DEFAULT_FIRST} where omitted.` })
	first?: number;
	@Field(() => String, { nullable: true, description: "The cursor of the last item of the page before." })
	after?: string;
}

/** @throws USAGE */
export function pageRequest({ first = DEFAULT_FIRST, after }: PageArgs): PageRequest {
	return {
		first: within("first", first ?? DEFAULT_FIRST, 1, MOST_FIRST),
		after: after ? readCursor(after).cursor : undefined,
	};
}

/** @throws USAGE */
export function within(name: string, value: number, least: number, most: number): number {
	if (value >= least && value <= most) return value;
	throw new LodeError("USAGE", `${name}: must be a whole number from ${least} to ${most}`);
}

export function connectionOf<T>(page: Page<T>, view: Seen, { after }: PageArgs): Connection<T> {
	const edges = page.items.map(({ cursor, item }) => ({ cursor: writeCursor(view, cursor), node: item }));
	return {
		edges,
		nodes: edges.map(({ node }) => node),
		pageInfo: {
			hasNextPage: page.more,
			hasPreviousPage: after !== undefined && after !== null,
			startCursor: edges[0]?.cursor ?? null,
			endCursor: edges.at(-1)?.cursor ?? null,
		},
	};
}

/** What a page of nodes costs: see limits.ts. */
export const pageCost = ({
	args,
	childComplexity,
}: {
	args: Record<string, unknown>;
	childComplexity: number;
}): number => 1 + Math.min(Math.max(1, Number(args.first ?? DEFAULT_FIRST)), MOST_FIRST) * Math.max(1, childComplexity);

/** What a cursor keeps of the view that its page came from. */
type Seen = Pick<LodeView, "timeTravel"> & { readonly snapshot: { readonly number: number } };

export const writeCursor = ({ snapshot, timeTravel }: Seen, cursor: string): string =>
	Buffer.from(`${snapshot.number}${timeTravel ? "t" : ""}:${cursor}`).toString("base64url");

/** `at`: what names the snapshot of its page; undefined where nothing was published. `live`: the reader had not asked for one. @throws USAGE */
export function readCursor(text: string): { at?: string; live: boolean; cursor: string } {
	const [, number, then, cursor] = /^(\d{1,9})(t?):(.*)$/s.exec(Buffer.from(text, "base64url").toString("utf8")) ?? [];
	if (number === undefined || cursor === undefined) {
		throw new LodeError("USAGE", "after: is no cursor", { next: "Pass on a cursor as it came." });
	}
	return { ...(number !== "0" && { at: numberedAt(Number(number)) }), live: then === "", cursor };
}
