import fc from "fast-check";
import {
	type DocumentNode,
	type FragmentDefinitionNode,
	type GraphQLObjectType,
	type GraphQLSchema,
	getNamedType,
	isObjectType,
	isRequiredArgument,
	Kind,
	type SelectionSetNode,
} from "graphql";
import { beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "./limits.js";
import { prepareOperation } from "./operation.js";
import { buildGraphqlSchema } from "./print-schema.js";
import type { RequestRead } from "./request-read.js";

/** Real: the schema, and what checks operations before anything of them runs. */
let schema: GraphQLSchema;
beforeAll(async () => {
	schema = await buildGraphqlSchema();
});
const prepared = (query: string) => prepareOperation(schema, { query }, () => ({}) as RequestRead);
const codesOf = (query: string): string[] | "accepted" => {
	const found = prepared(query);
	return "schema" in found ? "accepted" : found.map(({ extensions }) => String(extensions.code ?? "USAGE"));
};

/** What an accepted operation makes the server visit, fragments written out: fields, and how deep they lie. */
function sizeOf(document: DocumentNode): { fields: number; depth: number } {
	const fragments = new Map(
		document.definitions
			.filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
			.map((one) => [one.name.value, one.selectionSet]),
	);
	let fields = 0;
	let deepest = 0;
	const visit = (set: SelectionSetNode | undefined, depth: number): void => {
		for (const selection of set?.selections ?? []) {
			if (fields > LIMITS.cost) return;
			if (selection.kind === Kind.FIELD) {
				fields += 1;
				deepest = Math.max(deepest, depth + 1);
				visit(selection.selectionSet, depth + 1);
			} else if (selection.kind === Kind.INLINE_FRAGMENT) visit(selection.selectionSet, depth);
			else visit(fragments.get(selection.name.value), depth);
		}
	};
	for (const one of document.definitions) if (one.kind === Kind.OPERATION_DEFINITION) visit(one.selectionSet, 0);
	return { fields, depth: deepest };
}

/** A document that follows the schema and may be far too large: deep, wide, with aliases, lists of directives and fragments that call each other. */
function documentOf(pick: (below: number) => number): string {
	const fragments = new Map<string, GraphQLObjectType>();
	let room = 3 + pick(pick(2) === 0 ? 40 : 600);
	let aliases = 0;
	const most = pick(2) === 0 ? 1 : 12;
	const selection = (type: GraphQLObjectType, depth: number): string => {
		const parts: string[] = [];
		// Each once, and with the same arguments everywhere: else they could not be put together, and nothing would be measured.
		const all = Object.values(type.getFields());
		for (let count = 1 + pick(depth > 3 ? 3 : 6); count > 0 && room > 0; count -= 1) {
			room -= 1;
			const spread = [...fragments].filter(([, of]) => of === type);
			if (spread.length > 0 && pick(4) === 0) {
				parts.push(`...${(spread[pick(spread.length)] as [string, unknown])[0]}`);
				continue;
			}
			const [field] = all.splice(pick(all.length), 1);
			if (field === undefined) break;
			const args = field.args.filter((arg) => isRequiredArgument(arg) || arg.name === "first");
			const values = args.map(({ name, type: of }) => {
				const named = getNamedType(of).name;
				return `${name}: ${name === "first" ? 1 + (field.name.length % 5) : named.endsWith("Direction") ? "UP" : `"x"`}`;
			});
			const inner = getNamedType(field.type);
			const set = isObjectType(inner) ? (depth > 20 ? "{ __typename }" : `{ ${selection(inner, depth + 1)} }`) : "";
			const alias = pick(10) === 0 ? `a${aliases++}: ` : "";
			const directives = pick(10) === 0 ? "@include(if: true) ".repeat(pick(most) + (pick(20) === 0 ? 2 : 0)) : "";
			parts.push(`${alias}${field.name}${values.length > 0 ? `(${values.join(", ")})` : ""} ${directives}${set}`);
		}
		return parts.length === 0 ? "__typename" : parts.join(" ");
	};
	const types = ["Query", "Source", "Entity", "Ingestion"].map((name) => schema.getType(name) as GraphQLObjectType);
	for (let count = pick(8); count > 0; count -= 1)
		fragments.set(`F${count}`, types[pick(types.length)] as GraphQLObjectType);
	const defined = [...fragments].map(([name, type]) => `fragment ${name} on ${type.name} { ${selection(type, 2)} }`);
	return [`{ ${selection(schema.getQueryType() as GraphQLObjectType, 0)} }`, ...defined].join("\n");
}

describe("an operation", () => {
	test("is refused as too large, or makes the server visit no more than the bounds say", () => {
		let accepted = 0;
		let tooLarge = 0;
		fc.assert(
			fc.property(fc.infiniteStream(fc.nat(1_000_000)), (numbers) => {
				const query = documentOf((below) => (numbers.next().value as number) % below);
				const found = prepared(query);
				if (!("schema" in found)) {
					expect(found.length).toBeGreaterThan(0);
					tooLarge += found.some(({ extensions }) => extensions.code === "QUERY_TOO_LARGE") ? 1 : 0;
					return;
				}
				accepted += 1;
				const { fields, depth } = sizeOf(found.document);
				expect(depth).toBeLessThanOrEqual(LIMITS.depth);
				expect(fields).toBeLessThanOrEqual(LIMITS.cost);
				expect(query.match(/\ba\d+: /g)?.length ?? 0).toBeLessThanOrEqual(LIMITS.aliases);
			}),
			{ numRuns: Number(process.env.LODE_TEST_RUNS ?? 300) },
		);
		// Else it says nothing of either.
		expect(accepted).toBeGreaterThan(3);
		expect(tooLarge).toBeGreaterThan(3);
	});

	const chain = (fragments: number, times: number, type = "Query", last = "__typename") =>
		[
			`fragment F0 on ${type} { ${last} }`,
			...Array.from(
				{ length: fragments },
				(_, at) => `fragment F${at + 1} on ${type} { ${`...F${at} `.repeat(times)}}`,
			),
		].join(" ");

	test.each([
		["a chain of fragments", `{ ...F60 } ${chain(60, 2)}`],
		["a short text of fragments whose fields are billions", `{ ...F4 } ${chain(4, 90)}`],
		["the same below a list", `{ sources { nodes { ...F4 } } } ${chain(4, 90, "Source", "id")}`],
		["aliases", `{ ${Array.from({ length: 31 }, (_, at) => `a${at}: sources { nodes { id } }`).join(" ")} }`],
		[
			"aliases in fragments",
			`{ ...A } fragment A on Query { ${Array.from({ length: 31 }, (_, at) => `a${at}: sources { nodes { id } }`).join(" ")} }`,
		],
		["directives", `{ __typename ${"@include(if: true) ".repeat(200)} }`],
		["tokens", `{ ${"__typename ".repeat(2_001)} }`],
		[
			"pages of pages",
			`{ entities(first: 100) { nodes { neighbours(first: 100) { nodes { entity { neighbours(first: 100) { nodes { key } } } } } } } }`,
		],
	])("of %s is too large", (_, query) => {
		expect(codesOf(query)).toContain("QUERY_TOO_LARGE");
	});

	test.each([
		["itself", "{ ...A } fragment A on Query { ...A }"],
		["each other", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A __typename }"],
		[
			"each other below fields",
			"{ sources { nodes { ...A } } } fragment A on Source { groups { name } ...B } fragment B on Source { ...A }",
		],
	])("with fragments that contain %s ends as wrong", (_, query) => {
		expect(codesOf(query)).not.toBe("accepted");
	});
});
