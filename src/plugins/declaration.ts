import { z } from "zod";
import { HOOK_NAMES, type HookName } from "./plugin.js";

/** What of a plugin crosses the thread: everything but the hooks themselves. */
export interface PluginDeclaration {
	readonly name: string;
	readonly version: string;
	readonly files?: readonly string[];
	readonly onFailure: "skip" | "fail";
	readonly timeLimitsMs: Readonly<Partial<Record<HookName, number>>>;
	readonly hooks: readonly HookName[];
}

const limit = z.int().min(1).max(20_000).optional();

const shape = {
	name: z.string().regex(/^[a-z0-9@][a-z0-9@/._-]{0,99}$/, "must be 1 to 100 of a-z 0-9 @ . _ / -"),
	version: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.+_-]{0,49}$/, "must be 1 to 50 of A-Z a-z 0-9 . + _ -"),
	files: z.array(z.string().min(1).max(1_000)).min(1).max(100).optional(),
	onFailure: z.enum(["skip", "fail"]).default("skip"),
	timeLimitsMs: z
		.strictObject({ beforeIndexing: limit, afterIndexing: limit, beforeSearch: limit, afterSearch: limit })
		.default({}),
};

/** What a thread says of a plugin; read on the other side as carefully as everything that plugins have a hand in. */
export const declarationSchema = z.strictObject({ ...shape, hooks: z.array(z.enum(HOOK_NAMES)).min(1) });

const hook = z
	.custom<(input: unknown) => unknown>((value) => typeof value === "function", "must be a function")
	.optional();

/** The plugin itself, as a module exports it. */
export const pluginSchema = z.strictObject({
	...shape,
	hooks: z
		.strictObject({ beforeIndexing: hook, afterIndexing: hook, beforeSearch: hook, afterSearch: hook })
		.refine((hooks) => Object.values(hooks).some((one) => one !== undefined), "must have at least one hook"),
});

/** `path: message` of the first few things that are wrong, without values. */
export function issuesOf(error: z.ZodError): string {
	return error.issues
		.slice(0, 3)
		.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`))
		.join("; ")
		.slice(0, 300);
}
