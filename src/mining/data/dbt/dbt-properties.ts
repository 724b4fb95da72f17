import { columnKey, dataModelKey, nameKey } from "../../../domain/keys.js";
import type { Skip } from "../../../domain/mined-file.js";
import type { FileInput } from "../../extractor.js";
import { readYaml } from "../bounded-documents.js";
import { propertyText } from "../bounded-text.js";
import { describeEntity, entityName, relateEntities } from "../business-entities.js";
import type { StateDraft, StateSet } from "../state-set.js";
import { asList, asRecord, asText, at, entriesOf } from "../untyped.js";
import { referenceKey, referenceName } from "./dbt-model.js";
import { referencesIn, type TableReference } from "./jinja-render.js";

const MAX_NAME = 300;

/**
 * A properties file (`schema.yml`): descriptions, columns, types and tests of models, seeds, snapshots and sources, exposures, and
 * the business entities that keys and `relationships` tests tell of.
 */
export function stateDbtProperties(input: FileInput, states: StateSet): Skip[] {
	const parsed = readYaml(input.text ?? "");
	if (!parsed.ok) return [parsed.skip];
	const properties = new PropertiesStates(input, states);
	for (const kind of ["models", "seeds", "snapshots"]) {
		for (const model of asList(at(parsed.value, kind))) properties.model(model);
	}
	for (const source of asList(at(parsed.value, "sources"))) properties.source(source);
	for (const exposure of asList(at(parsed.value, "exposures"))) properties.exposure(exposure);
	return [];
}

interface ColumnTest {
	readonly name: string;
	/** What a `relationships` test points to. */
	readonly target?: { readonly reference: TableReference; readonly field: string | undefined };
}

class PropertiesStates {
	constructor(
		readonly input: FileInput,
		readonly states: StateSet,
	) {}

	model(value: unknown): void {
		const name = nameOf(value);
		if (name === undefined) return;
		const draft = this.states.state(dataModelKey(this.input.source, name), "data_model", name);
		// No layer and no path here: the file that defines the model states them.
		this.#table(draft, value);
	}

	source(value: unknown): void {
		const schema = nameOf(value);
		if (schema === undefined) return;
		for (const table of asList(at(value, "tables"))) {
			const own = nameOf(table);
			if (own === undefined) continue;
			const name = `${schema}.${own}`;
			const { source, path } = this.input;
			const draft = this.states.state(dataModelKey(source, name), "data_model", name);
			draft.prop("layer", "source").prop("dialect", "dbt").prop("path", path);
			draft.provides(nameKey(source, "model", "dbt-source", name), 0);
			this.states.file(this.input).edge("DEFINES", draft.key);
			this.#table(draft, table);
		}
	}

	/** What uses the models: a dashboard, a notebook. */
	exposure(value: unknown): void {
		const name = nameOf(value);
		if (name === undefined) return;
		const draft = this.states.state(dataModelKey(this.input.source, `exposure.${name}`), "data_model", name);
		draft.prop("layer", "exposure").prop("dialect", "dbt").prop("path", this.input.path);
		draft.prop("type", asText(at(value, "type"))?.slice(0, 100));
		this.#describe(draft, value);
		for (const dependency of asList(at(value, "depends_on"))) {
			for (const reference of referencesIn(asText(dependency) ?? "")) {
				draft.edge("DERIVES_FROM", referenceName(this.input.source, reference));
			}
		}
		this.states.file(this.input).edge("DEFINES", draft.key);
	}

	#table(draft: StateDraft, value: unknown): void {
		this.#describe(draft, value);
		const columns = asList(at(value, "columns")).filter((column) => nameOf(column) !== undefined);
		const keys: string[] = [];
		const relations: { field: string; target: NonNullable<ColumnTest["target"]> }[] = [];
		for (const column of columns) {
			const name = nameOf(column) as string;
			const state = this.states.state(columnKey(draft.key, name), "column", name);
			draft.edge("HAS_COLUMN", state.key);
			this.#describe(state, column);
			state.prop("type", asText(at(column, "data_type"))?.slice(0, 200));
			const tests = [...testsOf(at(column, "tests")), ...testsOf(at(column, "data_tests"))];
			const constraints = constraintsOf(at(column, "constraints"));
			const names = [...new Set(tests.map((test) => test.name))].sort();
			if (names.length > 0) state.prop("tests", names);
			const isPrimary = constraints.some((constraint) => constraint.name === "primary_key");
			if (isPrimary) state.prop("primaryKey", true);
			if (isPrimary || (names.includes("unique") && names.includes("not_null"))) keys.push(name);
			for (const { target } of [...tests, ...constraints]) {
				if (target === undefined) continue;
				const model = referenceKey(this.input.source, target.reference);
				state.edge("REFERENCES", target.field === undefined ? model : columnKey(model, target.field));
				relations.push({ field: name, target });
			}
		}
		this.#entities(draft, keys, relations);
	}

	#entities(
		draft: StateDraft,
		keys: readonly string[],
		relations: readonly Required<Pick<ColumnTest, "target">>[],
	): void {
		const { source } = this.input;
		// A key that refers to another table (a shared primary key) names that table's entity, so an own one goes first.
		const key = keys.find((name) => /(?:_id|Id|_ID)$/.test(name)) ?? keys[0];
		if (key === undefined && relations.length === 0) return;
		const own = entityName(draft.name, key);
		describeEntity(this.states, source, draft, own);
		for (const { target } of relations) {
			const other = entityName(target?.reference.name ?? "", target?.field);
			relateEntities(this.states, source, own, other);
		}
	}

	#describe(draft: StateDraft, value: unknown): void {
		const description = asText(at(value, "description")) ?? "";
		draft.prop("description", propertyText(description));
		for (const [, name] of description.matchAll(/\{\{\s{0,20}doc\(\s{0,20}["']([\w.]{1,200})["']/g)) {
			draft.edge("REFERENCES", nameKey(this.input.source, "doc", "dbt", (name as string).split(".").at(-1) as string));
		}
	}
}

function nameOf(value: unknown): string | undefined {
	const name = asText(at(value, "name"))?.trim();
	return name === undefined || name === "" || name.length > MAX_NAME ? undefined : name;
}

/** `unique`, `{relationships: {to, field}}`, `{relationships: {arguments: {to, field}}}`, `{test_name: relationships, to, field}`. */
function testsOf(value: unknown): ColumnTest[] {
	return asList(value).flatMap((test): ColumnTest[] => {
		const plain = asText(test);
		if (plain !== undefined) return [{ name: plain.slice(0, MAX_NAME) }];
		const named = asText(at(test, "test_name"));
		const [name, body] = named === undefined ? (entriesOf(test)[0] ?? []) : [named, test];
		if (name === undefined) return [];
		const args = asRecord(at(body, "arguments")) ?? body;
		return [
			{
				name: name.slice(0, MAX_NAME),
				target: /(?:^|\.)relationships/.test(name) ? targetOf(args, "field") : undefined,
			},
		];
	});
}

/** Constraints of a model contract: `{type: foreign_key, to: ref('x'), to_columns: [id]}`. */
function constraintsOf(value: unknown): ColumnTest[] {
	return asList(value).flatMap((constraint): ColumnTest[] => {
		const name = asText(at(constraint, "type"));
		if (name === undefined) return [];
		return [{ name, target: name === "foreign_key" ? targetOf(constraint, "to_columns") : undefined }];
	});
}

function targetOf(value: unknown, fieldName: string): ColumnTest["target"] {
	const [reference] = referencesIn(asText(at(value, "to")) ?? "");
	if (reference === undefined) return undefined;
	const field = at(value, fieldName);
	return {
		reference,
		field: (asText(field) ?? asText(asList(field)[0]))?.replace(/^["'`]|["'`]$/g, "").slice(0, MAX_NAME),
	};
}
