import type { PipeTransform } from "@nestjs/common";
import type { z } from "zod";
import { LodeError } from "../../domain/errors.js";

/** Checks what a client sent before a service sees it; the message names each field that is wrong. */
export class Validated<T> implements PipeTransform<unknown, T> {
	constructor(private readonly schema: z.ZodType<T>) {}

	/** @throws USAGE */
	transform(value: unknown): T {
		const { success, data, error } = this.schema.safeParse(value);
		if (success) return data;
		const fields: Record<string, string> = {};
		for (const { path, message } of error.issues) fields[path.join(".") || "request"] ??= message;
		const problems = error.issues.map(({ path, message }) => `${path.join(".") || "request"}: ${message}`);
		throw new LodeError("USAGE", problems.join("; "), { next: "See docs/api.md for what the request takes.", fields });
	}
}
