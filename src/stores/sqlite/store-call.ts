import { errorCode, LodeError, type LodeErrorOptions } from "../../domain/errors.js";

/** A call of a store that lives in another thread. */
export interface StoreCall {
	readonly method: string;
	readonly args: readonly unknown[];
}

/** Errors of ours lose what they are on their way between threads: they travel as what they are made of. */
export type StoreAnswer = { readonly value: unknown } | { readonly failure: StoreFailure };

interface StoreFailure extends Pick<LodeErrorOptions, "next" | "retryAfterMs" | "fields"> {
	readonly code: LodeError["code"];
	readonly message: string;
	readonly stack?: string;
}

/** Arguments on their way. What stands in `moved` is not copied, and cannot be used by the caller any more. */
export interface Packed {
	readonly args: readonly unknown[];
	readonly moved?: readonly ArrayBuffer[];
}
/** By method; those that are not here are sent as they are. */
export type Packing = Readonly<Record<string, (args: readonly unknown[]) => Packed>>;
type Unpacking = Readonly<Record<string, (args: readonly unknown[]) => readonly unknown[]>>;

/** The first call: opens the store and does nothing else. */
export const OPEN = "open";

/** A store all of whose methods are calls that `run` takes to where it is. `own`: what is no such method. */
export function callingStore<Store extends object>(
	run: (call: StoreCall, moved: readonly ArrayBuffer[]) => Promise<StoreAnswer>,
	own: Partial<Store>,
	packing: Packing = {},
): Store {
	const known = new Map<PropertyKey, unknown>(Object.entries(own));
	return new Proxy({} as Store, {
		get(_, method) {
			// Whoever awaits the store asks for `then`.
			if (typeof method === "symbol" || method === "then") return undefined;
			if (!known.has(method)) {
				known.set(method, async (...given: unknown[]) => {
					const { args, moved = [] } = packing[method]?.(given) ?? { args: given };
					return answered(await run({ method, args }, moved));
				});
			}
			return known.get(method);
		},
	});
}

/** The other side: answers calls by the store that `open` gives, which the first call opens. */
export function answeringCalls(
	open: () => object,
	unpacking: Unpacking = {},
): (call: StoreCall) => Promise<StoreAnswer> {
	let store: Readonly<Record<string, (...args: never[]) => unknown>> | undefined;
	return async ({ method, args }) => {
		try {
			store ??= open() as NonNullable<typeof store>;
			if (method === OPEN) return { value: undefined };
			return { value: await store[method]?.(...((unpacking[method]?.(args) ?? args) as never[])) };
		} catch (error) {
			return { failure: failureOf(error) };
		}
	};
}

function failureOf(error: unknown): StoreFailure {
	const { message, stack, next, retryAfterMs, fields } = error as LodeError;
	const code = errorCode(error);
	// What is not ours is a mistake in the code: its stack says where.
	return code === undefined
		? { code: "INTERNAL", message: String(message ?? error), stack }
		: { code, message, next, retryAfterMs, fields };
}

function answered(answer: StoreAnswer): unknown {
	if ("value" in answer) return answer.value;
	const { code, message, stack, ...options } = answer.failure;
	throw new LodeError(code, message, stack === undefined ? options : { ...options, cause: stack });
}
