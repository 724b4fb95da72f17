import type { Role } from "../../domain/roles.js";
import type { CommandKind } from "../commands/command.js";
import { forbidden, mayEverywhere, maySomewhere, type Principal } from "./principal.js";

/**
 * What the role is needed on. `named`: on the source that the request names, or that what it names belongs to; one that the principal may not
 * see does not exist for it. `visible`: on any source; the answer has only those that the principal may see. `all`: on all sources.
 */
export type Extent = "named" | "visible" | "all";

export interface Operation {
	/** `anyone`: nobody is asked who they are. */
	readonly least: Role | "anyone";
	readonly on?: Extent;
	/** Method and route, as the router has them; `/*` at the end: all that lies below. */
	readonly rest?: readonly string[];
	/** Fields of Query, Mutation and Subscription. */
	readonly graphql?: readonly string[];
	/** Tools and resources. */
	readonly mcp?: readonly string[];
	/** The commands behind it: what changes something, and is audited. */
	readonly command?: CommandKind;
}

/**
 * Every operation of every interface: the least role, and on what. An interface refuses what is not in this table, and a test compares the table
 * with the routes, fields, tools and resources that there are. A new operation is a line here.
 */
export const OPERATIONS = {
	health: { least: "anyone", rest: ["GET /health/live", "GET /health/ready"] },
	documents: {
		least: "anyone",
		rest: [
			"GET /api/v1/docs",
			"GET /api/v1/docs/*",
			"GET /api/v1/openapi.json",
			"GET /api/v1/openapi.yaml",
			"GET /graphql/explorer",
			"GET /graphql/explorer/*",
		],
	},
	// Tells of the whole installation, though of no source by name.
	metrics: { least: "viewer", on: "all", rest: ["GET /metrics"] },
	// Each of its fields is looked up for itself.
	graphql: { least: "viewer", on: "visible", rest: ["GET /graphql", "POST /graphql"] },

	"list-sources": {
		least: "viewer",
		on: "visible",
		rest: ["GET /api/v1/sources"],
		graphql: ["Query.sources"],
		mcp: ["tool list_sources", "resource sources"],
	},
	"show-source": {
		least: "viewer",
		on: "named",
		rest: ["GET /api/v1/sources/:source"],
		graphql: ["Query.source"],
		mcp: ["resource source", "resource source-at"],
	},
	"list-groups": { least: "viewer", on: "visible", rest: ["GET /api/v1/groups"] },
	"show-groups": {
		least: "viewer",
		on: "named",
		rest: ["GET /api/v1/sources/:source/groups", "GET /api/v1/groups/:id"],
		graphql: ["Query.groups", "Query.group"],
	},
	"read-artifacts": {
		least: "viewer",
		on: "named",
		rest: ["GET /api/v1/sources/:source/artifacts", "GET /api/v1/sources/:source/artifacts/content"],
		graphql: ["Query.artifacts", "Query.artifact"],
		mcp: ["tool read_file"],
	},
	"list-ingestions": {
		least: "viewer",
		on: "visible",
		rest: ["GET /api/v1/ingestions"],
		graphql: ["Query.ingestions"],
	},
	"show-ingestion": {
		least: "viewer",
		on: "named",
		rest: ["GET /api/v1/ingestions/:id"],
		graphql: ["Query.ingestion", "Subscription.ingestionProgress"],
		mcp: ["resource ingestion"],
	},
	"list-snapshots": {
		least: "viewer",
		on: "visible",
		rest: ["GET /api/v1/snapshots"],
		graphql: ["Query.snapshot", "Query.snapshots", "Subscription.snapshotPublished"],
	},
	"list-commits": { least: "viewer", on: "named", graphql: ["Query.commits"] },
	search: {
		least: "viewer",
		on: "visible",
		rest: ["GET /api/v1/search"],
		graphql: ["Query.search"],
		mcp: ["tool search"],
	},
	"walk-graph": {
		least: "viewer",
		on: "visible",
		rest: ["GET /api/v1/graph"],
		graphql: ["Query.entity", "Query.entities", "Query.paths", "Query.lineage", "Query.impact"],
		mcp: ["tool entity", "tool neighbours", "tool lineage"],
	},
	diff: {
		least: "viewer",
		on: "named",
		rest: ["GET /api/v1/diff"],
		graphql: ["Query.diff"],
		mcp: ["tool diff"],
	},
	"list-events": {
		least: "viewer",
		on: "visible",
		rest: ["GET /api/v1/events"],
		graphql: ["Query.events", "Subscription.eventAppended"],
	},
	"show-command": {
		least: "viewer",
		on: "named",
		rest: ["GET /api/v1/commands/:id", "GET /api/v1/commands/:id/wait"],
		graphql: ["Query.command"],
	},

	ingest: {
		least: "editor",
		on: "named",
		rest: ["POST /api/v1/ingestions"],
		graphql: ["Mutation.ingest"],
		command: "ingest",
	},
	retry: {
		least: "editor",
		on: "named",
		rest: ["POST /api/v1/ingestions/:id/retry"],
		graphql: ["Mutation.retry"],
		command: "retry",
	},
	cancel: {
		least: "editor",
		on: "named",
		rest: ["POST /api/v1/ingestions/:id/cancel"],
		graphql: ["Mutation.cancel"],
		command: "cancel",
	},
	// Of all sources where none is named: then the role is needed on all.
	verify: {
		least: "editor",
		on: "named",
		rest: ["POST /api/v1/verifications"],
		graphql: ["Mutation.verify"],
		command: "verify",
	},

	"create-group": {
		least: "editor",
		on: "named",
		rest: ["POST /api/v1/groups"],
		graphql: ["Mutation.createGroup"],
		command: "create-group",
	},
	"update-group": {
		least: "editor",
		on: "named",
		rest: ["PUT /api/v1/groups/:id"],
		graphql: ["Mutation.updateGroup"],
		command: "update-group",
	},
	"delete-group": {
		least: "editor",
		on: "named",
		rest: ["DELETE /api/v1/groups/:id"],
		graphql: ["Mutation.deleteGroup"],
		command: "delete-group",
	},

	"create-source": {
		least: "admin",
		on: "all",
		rest: ["POST /api/v1/sources"],
		graphql: ["Mutation.createSource"],
		command: "create-source",
	},
	"delete-source": {
		least: "admin",
		on: "named",
		rest: ["DELETE /api/v1/sources/:source"],
		graphql: ["Mutation.deleteSource"],
		command: "delete-source",
	},
	"collect-garbage": {
		least: "admin",
		on: "all",
		rest: ["POST /api/v1/garbage-collections"],
		graphql: ["Mutation.collectGarbage"],
		command: "collect-garbage",
	},
	"list-keys": { least: "admin", on: "all", rest: ["GET /api/v1/keys"], graphql: ["Query.apiKeys"] },
	"create-key": { least: "admin", on: "all", rest: ["POST /api/v1/keys"], graphql: ["Mutation.createApiKey"] },
	"revoke-key": { least: "admin", on: "all", rest: ["DELETE /api/v1/keys/:id"], graphql: ["Mutation.revokeApiKey"] },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof OPERATIONS;

const NAMES = Object.keys(OPERATIONS) as OperationName[];
const byPlace = (places: (operation: Operation) => readonly string[] | undefined): ReadonlyMap<string, OperationName> =>
	new Map(NAMES.flatMap((name) => (places(OPERATIONS[name]) ?? []).map((place) => [place, name] as const)));

const REST = byPlace(({ rest }) => rest);
/** Everything below: files of pages. */
const FOLDERS = [...REST].flatMap(([place, name]) =>
	place.endsWith("/*") ? [[place.slice(0, -1), name] as const] : [],
);
const GRAPHQL = byPlace(({ graphql }) => graphql);
const MCP = byPlace(({ mcp }) => mcp);
const COMMANDS = byPlace(({ command }) => (command === undefined ? [] : [command]));

export const operationOf = (name: OperationName): Operation => OPERATIONS[name];
/** Undefined: it is in no table, and is refused. HEAD is GET without its body. */
export function restOperation(method: string, route: string): OperationName | undefined {
	const place = `${method === "HEAD" ? "GET" : method} ${route}`;
	return REST.get(place) ?? FOLDERS.find(([folder]) => place.startsWith(folder))?.[1];
}
export const graphqlOperation = (type: string, field: string): OperationName | undefined =>
	GRAPHQL.get(`${type}.${field}`);
export const mcpOperation = (place: string): OperationName | undefined => MCP.get(place);
export const commandOperation = (kind: CommandKind): OperationName | undefined => COMMANDS.get(kind);

/**
 * Before anything of a request is read: whether the principal may do such a thing at all. On which sources it may is decided where they are
 * known: see scoped-catalog.ts for reads and guarded-commands.ts for writes. @throws FORBIDDEN
 */
export function requireOperation(principal: Principal, name: OperationName): void {
	const { least, on } = operationOf(name);
	if (least === "anyone") return;
	if (on === "all" ? mayEverywhere(principal, least) : maySomewhere(principal, least)) return;
	throw forbidden(least, on === "all" ? "everywhere" : "somewhere");
}
