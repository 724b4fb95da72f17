import { nameKey, sectionKey } from "../../../domain/keys.js";
import type { FileInput } from "../../extractor.js";
import { propertyText } from "../bounded-text.js";
import type { StateSet } from "../state-set.js";

/** `{% docs name %} ... {% enddocs %}` in Markdown: sections that descriptions refer to by name. */
export function stateDbtDocs(input: FileInput, states: StateSet): void {
	const { source, path } = input;
	const text = input.text ?? "";
	const opening = /\{%-?\s{0,20}docs\s{1,20}(\w{1,200})\s{0,20}-?%\}/g;
	const closing = /\{%-?\s{0,20}enddocs\s{0,20}-?%\}/g;
	for (let match = opening.exec(text); match !== null; match = opening.exec(text)) {
		closing.lastIndex = opening.lastIndex;
		const end = closing.exec(text);
		if (end === null) return;
		const name = match[1] as string;
		const section = states.state(sectionKey(source, path, name), "section", name);
		section.prop("path", path).prop("text", propertyText(text.slice(opening.lastIndex, end.index)));
		section.provides(nameKey(source, "doc", "dbt", name), 0);
		states.file(input).edge("DEFINES", section.key);
		opening.lastIndex = closing.lastIndex;
	}
}
