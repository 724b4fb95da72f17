import { InvalidArgumentError } from "commander";

/** A parser for option values. */
export function wholeNumber(min: number, max: number): (value: string) => number {
	return (value) => {
		const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
		if (number >= min && number <= max) return number;
		throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
	};
}

/** Some of `choices`, separated by commas; the option may also be repeated. */
export function listOf<T extends string>(choices: readonly T[]): (value: string, previous?: T[]) => T[] {
	return (value, previous = []) => {
		const names = value.split(",").map((name) => name.trim());
		const chosen = names.flatMap((name) => choices.find((choice) => choice === name) ?? []);
		if (chosen.length < names.length) throw new InvalidArgumentError(`Choose from ${choices.join(", ")}.`);
		return [...previous, ...chosen];
	};
}

/** `KEY=VALUE`, any number of times. The value is never repeated in a message: it may be a secret given in error. */
export function assignment(
	value: string,
	previous: readonly (readonly [string, string])[] | undefined,
): (readonly [string, string])[] {
	const at = value.indexOf("=");
	if (at <= 0) throw new InvalidArgumentError("It must be KEY=VALUE.");
	return [...(previous ?? []), [value.slice(0, at), value.slice(at + 1)]];
}
