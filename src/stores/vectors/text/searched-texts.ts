import { COMMIT_KIND, type RecordKind } from "../../../domain/mined-file.js";

/** The columns of full text: text, path, symbol. Of a commit only its subject is searched. */
export function searchedTexts(record: {
	readonly kind: RecordKind;
	readonly text: string;
	readonly path: string;
	readonly symbol?: string;
}): readonly [text: string, path: string, symbol: string] {
	if (record.kind === COMMIT_KIND) return [record.text.split("\n", 1)[0] ?? "", "", ""];
	return [record.text, record.path, record.symbol ?? ""];
}
