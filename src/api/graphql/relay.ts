import type { Type } from "@nestjs/common";
import { ArgsType, Field, Int, ObjectType } from "@nestjs/graphql";
import { LodeError } from "../../domain/errors.js";
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

export function connectionOf<T>(page: Page<T>, snapshot: number, { after }: PageArgs): Connection<T> {
	const edges = page.items.map(({ cursor, item }) => ({ cursor: writeCursor(snapshot, cursor), node: item }));
	return {
		edges,
		nodes: edges.map(({ node }) => node),
		pageInfo: {
			hasNextPage: page.more,
			hasPreviousPage: after !== undefined && after !== null,
			startCursor: edges[0]?.cursor ?? null,
			endCursor: edges.at(-1)?.cursor ?? (page.end === undefined ? null : writeCursor(snapshot, page.end)),
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

const writeCursor = (snapshot: number, cursor: string): string =>
	Buffer.from(`${snapshot}:${cursor}`).toString("base64url");

/** @throws USAGE */
export function readCursor(text: string): { snapshot: number; cursor: string } {
	const [, snapshot, cursor] = /^(\d{1,9}):(.*)$/s.exec(Buffer.from(text, "base64url").toString("utf8")) ?? [];
	if (snapshot !== undefined && cursor !== undefined) return { snapshot: Number(snapshot), cursor };
	throw new LodeError("USAGE", "after: is no cursor", { next: "Pass on a cursor as it came." });
}
