import { LodeError } from "../../domain/errors.js";

/** A port with these methods alone: whatever else is called fails, so that what nobody thought of shows nothing. */
export function onlyThese<T extends object>(port: string, methods: Partial<T>): T {
	return new Proxy(methods as T, {
		get(target, property) {
			if (typeof property === "symbol" || property === "then" || Object.hasOwn(target, property)) {
				return Reflect.get(target, property);
			}
			return () => {
				throw new LodeError("INTERNAL", `${port}.${property} is not for readers of some sources only`);
			};
		},
	});
}
