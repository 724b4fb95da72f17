import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { seededNumbers } from "./seeded-vectors.js";

/** Protocol Buffers, as far as an ONNX file needs them: https://protobuf.dev/programming-guides/encoding/ */
function varint(value: number): number[] {
	const bytes: number[] = [];
	let rest = value;
	for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
	bytes.push(rest);
	return bytes;
}
const integer = (field: number, value: number): Buffer => Buffer.from([...varint(field * 8), ...varint(value)]);
const bytes = (field: number, value: Uint8Array | string): Buffer => {
	const content = Buffer.from(value as string);
	return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(content.length)]), content]);
};
const message = (field: number, ...parts: readonly Buffer[]): Buffer => bytes(field, Buffer.concat(parts));

const FLOAT = 1;
const INT64 = 7;

/** ValueInfoProto with a tensor type; names are symbolic dimensions. Field numbers: onnx/onnx.proto. */
function valueInfo(field: number, name: string, type: number, shape: readonly (string | number)[]): Buffer {
	const dimensions = shape.map((each) => message(1, typeof each === "string" ? bytes(2, each) : integer(1, each)));
	return message(field, bytes(1, name), message(2, message(1, integer(1, type), message(2, ...dimensions))));
}

/** One Gather: a table of random embeddings by token id. */
function gatherModel(tokens: number, dimensions: number): Buffer {
	const next = seededNumbers(42);
	const table = Float32Array.from({ length: tokens * dimensions }, () => next() * 2 - 1);
	const initializer = message(
		5,
		integer(1, tokens),
		integer(1, dimensions),
		integer(2, FLOAT),
		bytes(8, "table"),
		bytes(9, new Uint8Array(table.buffer)),
	);
	const graph = message(
		7,
		message(1, bytes(1, "table"), bytes(1, "input_ids"), bytes(2, "last_hidden_state"), bytes(4, "Gather")),
		bytes(2, "tiny"),
		initializer,
		...["input_ids", "attention_mask", "token_type_ids"].map((name) => valueInfo(11, name, INT64, ["batch", "length"])),
		valueInfo(12, "last_hidden_state", FLOAT, ["batch", "length", dimensions]),
	);
	return Buffer.concat([integer(1, 8), graph, message(8, integer(2, 17))]);
}

/** Writes a model that Transformers.js loads: BERT's interface, a handful of words, random weights. */
export async function writeTinyModel(folder: string, dimensions = 16): Promise<void> {
	const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "hello", "world", "graph", "lake", "dimensions"];
	const vocab = Object.fromEntries(words.map((word, id) => [word, id]));
	const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
	const token = (word: string) => [word, { id: word, ids: [vocab[word]], tokens: [word] }];
	const json: Record<string, unknown> = {
		"config.json": {
			model_type: "bert",
			architectures: ["BertModel"],
			hidden_size: dimensions,
			vocab_size: words.length,
			num_hidden_layers: 1,
			num_attention_heads: 2,
		},
		"tokenizer.json": {
			version: "1.0",
			truncation: null,
			padding: null,
			added_tokens: [],
			normalizer: {
				type: "BertNormalizer",
				clean_text: true,
				handle_chinese_chars: true,
				strip_accents: null,
				lowercase: true,
			},
			pre_tokenizer: { type: "BertPreTokenizer" },
			post_processor: {
				type: "TemplateProcessing",
				single: [special("[CLS]"), { Sequence: { id: "A", type_id: 0 } }, special("[SEP]")],
				pair: [],
				special_tokens: Object.fromEntries([token("[CLS]"), token("[SEP]")]),
			},
			decoder: { type: "WordPiece", prefix: "##", cleanup: true },
			model: {
				type: "WordPiece",
				unk_token: "[UNK]",
				continuing_subword_prefix: "##",
				max_input_chars_per_word: 100,
				vocab,
			},
		},
		"tokenizer_config.json": {
			tokenizer_class: "BertTokenizer",
			pad_token: "[PAD]",
			unk_token: "[UNK]",
			cls_token: "[CLS]",
			sep_token: "[SEP]",
			model_max_length: 512,
		},
	};
	await mkdir(join(folder, "onnx"), { recursive: true });
	for (const [name, content] of Object.entries(json)) await writeFile(join(folder, name), JSON.stringify(content));
	await writeFile(join(folder, "onnx", "model.onnx"), gatherModel(words.length, dimensions));
}
