import type { EntityKey } from "../../../domain/entities.js";
import { columnKey, dataModelKey, nameKey } from "../../../domain/keys.js";
import type { Skip } from "../../../domain/mined-file.js";
import type { FileInput, Region } from "../../extractor.js";
import { LineIndex } from "../line-index.js";
import { sniffDialect, tokenize } from "../sql/sql-lexer.js";
import { openRelation, type Relation, resolveQuery, UNKNOWN_RELATION } from "../sql/sql-lineage.js";
import { cteSpans, readQuery } from "../sql/sql-query.js";
import type { StateDraft, StateSet } from "../state-set.js";
import { folders, stem } from "./dbt-files.js";
import { isRenderedName, type RenderedModel, renderModel, type TableReference } from "./jinja-render.js";
import { blankComments, splitTemplate } from "./jinja-syntax.js";

const MAX_CHARACTERS = 1024 * 1024;
const MAX_TOKENS = 100_000;
const MAX_NAME = 300;

/** A model, snapshot or analysis: a data model with its lineage, and its columns as far as the SQL names them. */
export function stateDbtModel(input: FileInput, states: StateSet): { regions: Region[]; skips: Skip[] } {
	const text = input.text ?? "";
	if (text.length > MAX_CHARACTERS) {
		return {
			regions: [],
			skips: [{ reason: "too_large", detail: `dbt SQL of more than ${MAX_CHARACTERS} characters` }],
		};
	}
	const rendered = renderModel(blankComments(text));
	const path = folders(input.path);
	if ((rendered.definesMacros && rendered.snapshots.length === 0) || path.includes("macros"))
		return { regions: [], skips: [] };
	if (path.includes("tests")) {
		// A singular test asks something of models; it is none.
		const file = states.file(input);
		for (const reference of rendered.references) file.edge("REFERENCES", referenceName(input.source, reference));
		return { regions: [], skips: [] };
	}
	const names = rendered.snapshots.length > 0 ? rendered.snapshots : [stem(input.path)];
	const models = names.map((name) => stateModel(input, states, name, rendered));
	// Several snapshots in one file: which SQL belongs to which is not worth telling, the lineage is stated for each.
	const skip = models.length === 1 ? stateColumns(input, states, models[0] as StateDraft, rendered) : undefined;
	return { regions: modelRegions(input, text, names[0] as string), skips: skip === undefined ? [] : [skip] };
}

/** The name under which the link step finds a referenced model or source. */
export function referenceName(source: string, reference: TableReference): EntityKey {
	return nameKey(source, "model", reference.type === "ref" ? "dbt" : "dbt-source", reference.name);
}

/** The data model that a reference means inside this source. */
export const referenceKey = (source: string, reference: TableReference): EntityKey =>
	dataModelKey(source, reference.name);

function stateModel(input: FileInput, states: StateSet, name: string, rendered: RenderedModel): StateDraft {
	const { source, path } = input;
	const model = states.state(dataModelKey(source, name), "data_model", name);
	model
		.prop("path", path)
		.prop("dialect", "dbt")
		.prop("layer", layerOf(path, name, rendered));
	model.prop("materialized", rendered.config.get("materialized"));
	model.provides(nameKey(source, "model", "dbt", name), 0);
	// `ref('x')` without a version means the newest: it cannot be told from here, any version is better than none.
	const versioned = /^(.+)_v\d+$/.exec(name)?.[1];
	if (versioned !== undefined) model.provides(nameKey(source, "model", "dbt", versioned), 1);
	for (const reference of rendered.references) {
		const target = referenceKey(source, reference);
		if (target !== model.key) model.edge("DERIVES_FROM", referenceName(source, reference));
	}
	states.file(input).edge("DEFINES", model.key);
	return model;
}

function layerOf(path: string, name: string, rendered: RenderedModel): string {
	const parts = folders(path);
	if (rendered.snapshots.length > 0 || parts.includes("snapshots")) return "snapshot";
	if (parts.includes("analyses") || parts.includes("analysis")) return "analysis";
	return parts.includes("staging") || name.startsWith("stg_") ? "staging" : "model";
}

function stateColumns(
	input: FileInput,
	states: StateSet,
	model: StateDraft,
	rendered: RenderedModel,
): Skip | undefined {
	const { source } = input;
	const sql = rendered.sql.replace(/[\s;]+$/, "");
	if (sql.trim() === "") return undefined;
	const tokens = tokenize(sql, sniffDialect(sql), MAX_TOKENS);
	// Names stay as they are written, because that is how properties files and seeds write them too.
	const query = tokens === undefined ? undefined : readQuery(tokens, (word) => word);
	if (query === undefined) return { reason: "parse", detail: "the model's columns could not be read from its SQL" };
	const relation = resolveQuery(query, {
		isKnownName: isRenderedName,
		relationOf: (parts): Relation => {
			const reference = rendered.referenceOf(parts.at(-1) ?? "");
			return reference === undefined ? UNKNOWN_RELATION : openRelation(referenceKey(source, reference));
		},
	});
	for (const { name, origins } of relation.columns.values()) {
		if (name === "" || name.length > MAX_NAME) continue;
		const column = states.state(columnKey(model.key, name), "column", name);
		model.edge("HAS_COLUMN", column.key);
		for (const origin of origins) if (origin !== column.key) column.edge("DERIVES_FROM", origin);
	}
	return undefined;
}

/** The whole file is the model; in a file larger than a chunk its CTEs are regions of their own. */
function modelRegions(input: FileInput, text: string, name: string): Region[] {
	const index = new LineIndex(text);
	const lastLine = index.lineAt(Math.max(0, text.trimEnd().length - 1));
	const regions: Region[] = [{ startLine: 1, endLine: lastLine, kind: "model", symbol: name }];
	if (text.length <= input.settings.chunkSize) return regions;
	const plain = blankTags(blankComments(text));
	let last = 0;
	for (const span of ctesOf(plain)) {
		const startLine = index.lineAt(span.start);
		const endLine = index.lineAt(span.end - 1);
		// Two CTEs on one line would overlap.
		if (startLine > last) regions.push({ startLine, endLine, kind: "model", symbol: `${name}.${span.name}` });
		last = Math.max(last, endLine);
	}
	return regions;
}

function ctesOf(text: string): { name: string; start: number; end: number }[] {
	const tokens = tokenize(text, sniffDialect(text), MAX_TOKENS) ?? [];
	return cteSpans(tokens).flatMap(({ name, first, last }) => {
		const [start, end] = [tokens[first]?.start, tokens[last]?.end];
		return start === undefined || end === undefined || !isRenderedName(name) ? [] : [{ name, start, end }];
	});
}

/** The SQL with every offset kept: statements become spaces, outputs a name of the same length. */
function blankTags(text: string): string {
	return splitTemplate(text)
		.map((part) => {
			const raw = text.slice(part.start, part.end);
			if (part.kind === "text") return raw;
			const isValue = part.kind === "output" && !/^config\b/.test(part.body);
			return raw.replace(/[^\r\n]/g, isValue ? "x" : " ");
		})
		.join("");
}
