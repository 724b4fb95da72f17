import { normalised } from "../vector-normal.js";

/**
 * The vectors of an `/embeddings` response in the order of its inputs, at unit length.
 * Shape: https://platform.openai.com/docs/api-reference/embeddings; `embedding` is a list of numbers, or float32 little-endian
 * in base64. Returns a sentence where it is not what was asked for.
 */
export function readEmbeddings(body: unknown, inputs: number, dimensions: number | undefined): Float32Array[] | string {
	const data = field(body, "data");
	if (!Array.isArray(data)) return "the response has no list `data`";
	if (data.length !== inputs) return `it answered ${data.length} embeddings for ${inputs} texts`;
	const vectors: (Float32Array | undefined)[] = new Array(inputs).fill(undefined);
	let expected = dimensions;
	for (const [position, item] of data.entries()) {
		// Some servers leave `index` out where the order is that of the inputs.
		const index = field(item, "index") ?? position;
		if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= inputs)
			return "an index is out of range";
		if (vectors[index as number] !== undefined) return `it answered text ${index} twice`;
		const raw = decode(field(item, "embedding"));
		const vector = raw && normalised(raw);
		if (!vector) return `embedding ${index} is not a vector of finite numbers`;
		expected ??= vector.length;
		if (vector.length !== expected) return `embedding ${index} has ${vector.length} dimensions instead of ${expected}`;
		vectors[index as number] = vector;
	}
	return vectors as Float32Array[];
}

function field(value: unknown, name: string): unknown {
	return typeof value === "object" && value !== null && Object.hasOwn(value, name)
		? (value as Record<string, unknown>)[name]
		: undefined;
}

function decode(embedding: unknown): Float32Array | undefined {
	if (typeof embedding === "string") {
		const bytes = Buffer.from(embedding, "base64");
		if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
		return new Float32Array(new Uint8Array(bytes).buffer);
	}
	if (!Array.isArray(embedding) || embedding.length === 0) return undefined;
	return embedding.every((x) => typeof x === "number") ? Float32Array.from(embedding) : undefined;
}
