import { errorCode } from "../../domain/errors.js";
import type { Metrics } from "./metrics.js";

type Call = (...args: readonly unknown[]) => unknown;

/** What of a call is more than its time. */
export type Told = Readonly<Record<string, (args: readonly unknown[], result: unknown) => void>>;

/**
 * A port that measures every call of its own: how long it took, and what it failed with. A decorator over the port, so that no adapter knows
 * of it; what an adapter calls inside is part of the call.
 */
export function observedPort<T extends object>(store: string, port: T, metrics: Metrics, told: Told = {}): T {
	const took = metrics.observe("storeSeconds");
	const failed = metrics.count("storeErrors");
	const known = new Map<PropertyKey, unknown>();

	function observed(operation: string, call: Call): Call {
		const labels = { store, operation };
		const more = told[operation];
		return (...args) => {
			const started = performance.now();
			const result = call.apply(port, args as unknown[]);
			if (!(result instanceof Promise)) return result;
			const ended = () => took(labels, (performance.now() - started) / 1_000);
			result.then(
				(value) => {
					ended();
					more?.(args, value);
				},
				(error: unknown) => {
					ended();
					failed({ ...labels, code: errorCode(error) ?? "INTERNAL" });
				},
			);
			return result;
		};
	}

	return new Proxy(port, {
		get(target, property) {
			if (known.has(property)) return known.get(property);
			const value: unknown = Reflect.get(target, property, target);
			if (typeof value !== "function" || typeof property === "symbol") return value;
			const wrapped = observed(property, value as Call);
			known.set(property, wrapped);
			return wrapped;
		},
	});
}
