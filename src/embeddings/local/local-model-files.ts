import { existsSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { LodeError } from "../../domain/errors.js";

/** What is used where no model is named: 384 dimensions, 90 MB. */
export const DEFAULT_LOCAL_MODEL = "Xenova/all-MiniLM-L6-v2";

export interface LocalModelOptions {
	/** Lode's home: models are kept under `<home>/models`. */
	readonly home: string;
	/** A name on the Hugging Face hub (`owner/name`), or the folder of a model in Transformers.js' layout. */
	readonly model?: string;
}

export interface LocalModelPlace {
	/** What Transformers.js is asked for, below `root`. */
	readonly name: string;
	readonly root: string;
	/** A folder that the user named: nothing is downloaded into it. */
	readonly ownFolder: boolean;
	/** The weights that are there, or those to download: full precision where there is a choice. */
	readonly dtype: "fp32" | "q8";
	readonly present: boolean;
}

/** Where a model's files are, or would be. @throws CONFIG_INVALID */
export function locateModel(options: LocalModelOptions): LocalModelPlace {
	const model = options.model ?? DEFAULT_LOCAL_MODEL;
	const asFolder = isAbsolute(model) || /^\.{1,2}([/\\]|$)/.test(model) || existsSync(join(model, "config.json"));
	if (asFolder) {
		const folder = resolve(model);
		return { name: basename(folder), root: dirname(folder), ownFolder: true, ...weights(folder) };
	}
	// Becomes a path and part of a URL.
	if (!/^[A-Za-z0-9][\w.-]{0,95}(\/[A-Za-z0-9][\w.-]{0,95})?$/.test(model) || model.includes("..")) {
		throw new LodeError("CONFIG_INVALID", "LODE_EMBEDDING_MODEL: is neither a model's name (owner/name) nor a folder", {
			next: `Use a name such as ${DEFAULT_LOCAL_MODEL}, or the absolute path of a model's folder.`,
		});
	}
	const root = join(resolve(options.home), "models");
	return { name: model, root, ownFolder: false, ...weights(join(root, ...model.split("/"))) };
}

/** Whether the model can be loaded without a download. */
export function isLocalModelPresent(options: LocalModelOptions): boolean {
	return locateModel(options).present;
}

function weights(folder: string): Pick<LocalModelPlace, "dtype" | "present"> {
	const has = (file: string) => existsSync(join(folder, ...file.split("/")));
	const described = has("config.json") && has("tokenizer.json");
	if (has("onnx/model.onnx")) return { dtype: "fp32", present: described };
	return has("onnx/model_quantized.onnx") ? { dtype: "q8", present: described } : { dtype: "fp32", present: false };
}
