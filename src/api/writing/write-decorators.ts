import { applyDecorators, HttpCode } from "@nestjs/common";
import { ApiHeader, ApiResponse } from "@nestjs/swagger";
import { Answers, AnswersProblems } from "../document/described.js";
import { acceptedSchema, commandSchema } from "./command.schemas.js";

export const IdempotencyKey = (): MethodDecorator =>
	ApiHeader({
		name: "Idempotency-Key",
		required: false,
		description:
			"A repeat with the same key and content starts nothing and is answered about the first one; another content is 422.",
		schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
	});

/** A route that starts long work: see command-answers.ts. */
export const StartsWork = (): MethodDecorator =>
	applyDecorators(
		HttpCode(200),
		IdempotencyKey(),
		Answers(acceptedSchema, "Accepted: it goes on.", 202),
		Answers(commandSchema, "With `timeout`: it has ended, and this came of it."),
		ApiResponse({
			status: 408,
			description: "With `timeout`: it has not ended yet, and goes on.",
			content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
		}),
		AnswersProblems(),
	);

/** A route that changes something at once. */
export const ChangesAtOnce = (): MethodDecorator =>
	applyDecorators(HttpCode(201), IdempotencyKey(), Answers(commandSchema, "Done.", 201), AnswersProblems());
