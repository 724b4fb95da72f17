import { applyDecorators, Body, Query } from "@nestjs/common";
import { ApiResponse } from "@nestjs/swagger";
import { z } from "zod";
import { Validated } from "../errors/validated.js";

/** A query string that is checked by a schema, which is in the OpenAPI document too. */
export const CheckedQuery = (schema: z.ZodType): ParameterDecorator =>
	Query({ schema, pipes: [new Validated(schema)] });
/** The same for a body. */
export const CheckedBody = (schema: z.ZodType): ParameterDecorator => Body({ schema, pipes: [new Validated(schema)] });

/** Nothing that is taken is nested deeper; what walks over a request may go down in steps of its own. */
const MAX_DEPTH = 8;
const plainBody = z.looseObject({}).refine((body) => !isDeeper(body, MAX_DEPTH), "must not be nested so deeply");

/** One that a service checks, field by field; here it has to be an object. */
export const DescribedBody = (schema: z.ZodType): ParameterDecorator =>
	Body({ schema, pipes: [new Validated(plainBody)] });

function isDeeper(value: unknown, depth: number): boolean {
	if (typeof value !== "object" || value === null) return false;
	return depth === 0 || Object.values(value).some((inner) => isDeeper(inner, depth - 1));
}

/** What a route answers where all is well. */
export const Answers = (schema: z.ZodType, description: string, status = 200): MethodDecorator =>
	ApiResponse({ status, description, standardSchema: schema as never });

const PROBLEM = "application/problem+json";

/** Every route answers what is wrong with problem details. */
export const AnswersProblems = (): ClassDecorator & MethodDecorator =>
	applyDecorators(
		ApiResponse({
			status: "default",
			description: "Problem details (RFC 9457).",
			content: { [PROBLEM]: { schema: { $ref: "#/components/schemas/Problem" } } },
		}),
	);
