/** Reading parsed documents whose shape nobody guarantees. Only own properties count, so `__proto__` is a name like others. */

type UntypedRecord = { readonly [key: string]: unknown };

export function asRecord(value: unknown): UntypedRecord | undefined {
	return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as UntypedRecord) : undefined;
}

export function asList(value: unknown): readonly unknown[] {
	return Array.isArray(value) ? value : [];
}

/** Strings as they are, numbers and booleans as they print (YAML reads `version: 1.0` as a number), others undefined. */
export function asText(value: unknown): string | undefined {
	if (typeof value === "string") return value;
	return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** An own property at the end of a path of own properties. */
export function at(value: unknown, ...path: readonly string[]): unknown {
	let current = value;
	for (const key of path) {
		const record = asRecord(current);
		if (record === undefined || !Object.hasOwn(record, key)) return undefined;
		current = record[key];
	}
	return current;
}

export function entriesOf(value: unknown): [string, unknown][] {
	const record = asRecord(value);
	return record === undefined ? [] : Object.entries(record);
}
