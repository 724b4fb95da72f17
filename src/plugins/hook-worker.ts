import type { MessagePort } from "node:worker_threads";
import { decodeFile } from "../mining/decode.js";
import { issuesOf, pluginSchema } from "./declaration.js";
import { HOOK_NAMES, type HookName } from "./plugin.js";

/** `begins`: told when the hook itself does, because a thread that starts and loads modules takes time that is not the hook's. */
export type HookTask =
	| { readonly type: "declare"; readonly url: string; readonly begins: MessagePort }
	| {
			readonly type: "run";
			readonly url: string;
			readonly begins: MessagePort;
			/** What it was when it was loaded first. */
			readonly is: { readonly name: string; readonly version: string };
			readonly hook: HookName;
			readonly input: object;
	  };

/** JSON, or what went wrong; text only, so that nothing of a plugin's own making reaches another thread. */
export type HookOutcome =
	| { readonly json: string }
	| { readonly problem: "threw" | "answer" | "shape" | "changed"; readonly detail: string; readonly message?: string };

/** Characters of JSON. */
const MAX_ANSWER = 16 * 1024 * 1024;

type Plugin = ReturnType<typeof pluginSchema.parse>;

const plugins = new Map<string, Promise<Plugin | HookOutcome>>();

// Standard output belongs to the answers of commands: what plugins print goes where notes go.
process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;

/** Runs in a thread of the plugins' own. */
export default async function runHookTask(task: HookTask): Promise<HookOutcome> {
	let loading = plugins.get(task.url);
	if (loading === undefined) {
		loading = load(task.url);
		plugins.set(task.url, loading);
	}
	const plugin = await loading;
	if (!("hooks" in plugin)) return plugin;
	const { name, version, files, onFailure, timeLimitsMs } = plugin;
	if (task.type === "declare") {
		const hooks = HOOK_NAMES.filter((hook) => plugin.hooks[hook] !== undefined);
		return { json: JSON.stringify({ name, version, files, onFailure, timeLimitsMs, hooks }) };
	}
	if (name !== task.is.name || version !== task.is.version) {
		return { problem: "changed", detail: "its file was changed since this process started" };
	}
	let answer: unknown;
	task.begins.postMessage("now");
	try {
		answer = await plugin.hooks[task.hook]?.call(plugin.hooks, withText(task.hook, task.input));
	} catch (error) {
		return { problem: "threw", ...described(error) };
	}
	if (answer === undefined || answer === null) return { json: "null" };
	try {
		const json = JSON.stringify(answer);
		if (typeof json !== "string") return { problem: "answer", detail: "returned something that is no JSON" };
		if (json.length > MAX_ANSWER) return { problem: "answer", detail: "returned too much" };
		return { json };
	} catch {
		return { problem: "answer", detail: "returned something that is no JSON" };
	}
}

async function load(url: string): Promise<Plugin | HookOutcome> {
	let exported: unknown;
	try {
		exported = ((await import(url)) as { default?: unknown }).default;
	} catch (error) {
		const { detail, message } = described(error);
		return { problem: "shape", detail: `its module cannot be loaded (${detail})`, message };
	}
	try {
		const parsed = pluginSchema.safeParse(exported);
		return parsed.success ? parsed.data : { problem: "shape", detail: `its default export: ${issuesOf(parsed.error)}` };
	} catch (error) {
		return { problem: "shape", ...described(error) };
	}
}

function withText(hook: HookName, input: object): object {
	if (hook !== "beforeIndexing" || "text" in input || !("bytes" in input)) return input;
	const { text } = decodeFile(input.bytes as Uint8Array);
	return text === undefined ? input : { ...input, text };
}

/** The name tells equal failures from others; the message may hold anything, so it is for logs alone. */
function described(error: unknown): { detail: string; message?: string } {
	try {
		if (!(error instanceof Error)) return { detail: `threw ${typeof error}` };
		const name = /^[A-Za-z]{1,60}$/.test(error.name) ? error.name : "an error";
		return { detail: `threw ${name}`, message: String(error.message).slice(0, 500) };
	} catch {
		return { detail: "threw something" };
	}
}
