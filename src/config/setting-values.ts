import { z } from "zod";
import { Secret } from "./secret.js";

/** Files hold numbers, the environment holds text: both mean the same. Messages never repeat the value. */
export function integer(min: number, max: number) {
	const message = `must be a whole number from ${min} to ${max}`;
	return z
		.union([z.number(), z.string().regex(/^\s*\d{1,16}\s*$/)], { error: message })
		.transform(Number)
		.refine((value) => Number.isSafeInteger(value) && value >= min && value <= max, message);
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
	return z.enum(values, { error: `must be one of ${values.join(", ")}` });
}

export const flag = z
	.union([z.boolean(), z.enum(["true", "false"])], { error: "must be true or false" })
	.transform((value) => value === true || value === "true");

export const text = z.string({ error: "must be text" }).trim().min(1, "must not be empty").max(4_096, "is too long");

/** Texts separated by commas in the environment. */
export const list = z
	.union([z.array(z.string()), z.string().transform((value) => value.split(","))], { error: "must be a list" })
	.transform((values) => values.map((value) => value.trim()).filter((value) => value !== ""))
	.refine((values) => values.length <= 50 && values.every((value) => value.length <= 4_096), "is too long");

export const secret = text.transform((value) => new Secret(value));

export const hostPort = text.regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):\d{1,5}$/, "must be host:port");

/** A URL of a service, without a slash at its end. `credentials`: the settings that user name and password belong into. */
export function httpUrl(credentials: string) {
	return text.transform((value, context) => {
		const url = URL.canParse(value) ? new URL(value) : undefined;
		if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
			context.addIssue({ code: "custom", message: "must be an http or https URL" });
			return z.NEVER;
		}
		if (url.username !== "" || url.password !== "") {
			context.addIssue({ code: "custom", message: `must not hold credentials: use ${credentials}` });
			return z.NEVER;
		}
		return value.replace(/\/+$/, "");
	});
}

export const object = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape, { error: "must be an object" });
