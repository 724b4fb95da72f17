import type { FastifyReply } from "fastify";
import { LodeError } from "../../domain/errors.js";
import {
	type CommandReport,
	type CommandRequest,
	isEnded,
	type LodeCommands,
} from "../../services/commands/command.js";
import { problemOf } from "../errors/problem.js";
import { ProblemError } from "../errors/problem-error.js";
import { type Accepted, type CommandAnswer, idempotencyKeySchema } from "./command.schemas.js";

const urls = (id: string) => ({ status_url: `/api/v1/commands/${id}`, wait_url: `/api/v1/commands/${id}/wait` });

/** A command as REST shows it. */
export function commandAnswer(report: CommandReport): CommandAnswer {
	const { id, acceptedAt, finishedAt, workflowUrl, visibilityToken, progress, failure, history, ...rest } = report;
	return {
		command_id: id,
		...rest,
		accepted_at: acceptedAt,
		finished_at: finishedAt,
		workflow_url: workflowUrl,
		progress: progress && { ...progress },
		failure: failure && { ...failure },
		...urls(id),
		visibility_token: visibilityToken,
		history: history.map((event) => ({ ...event })),
	};
}

/**
 * The two forms of long work. Without `timeout`: 202 as soon as it is accepted. With it: the result, or 408 while it goes on. A repeat with
 * the same idempotency key starts nothing.
 * @throws the failure of the work, ProblemError
 */
export async function answerCommand(
	commands: LodeCommands,
	request: CommandRequest,
	{
		key,
		timeout,
		reply,
	}: { readonly key: string | undefined; readonly timeout: number | undefined; readonly reply: FastifyReply },
): Promise<Accepted | CommandAnswer> {
	const { report, repeated } = await commands.submit(request, checkedKey(key));
	if (repeated) void reply.header("idempotency-replayed", "true");
	if (timeout !== undefined) return resultOf(await commands.wait(report.id, timeout * 1_000), timeout);
	void reply.status(202).header("location", urls(report.id).status_url);
	return {
		command_id: report.id,
		status: "PENDING",
		...urls(report.id),
		// Of the command, also where it has ended already: a repeat is answered as the first request was.
		visibility_token: `command:${report.id}`,
	};
}

/** @throws ProblemError where it failed or has not ended yet */
export function resultOf(report: CommandReport, timeout: number): CommandAnswer {
	const place = { command_id: report.id, ...urls(report.id) };
	if (report.failure) {
		const { code, message, next } = report.failure;
		const { retryAfterSeconds: _, ...problem } = problemOf(new LodeError(code as LodeError["code"], message, { next }));
		// The request was served: what it started failed.
		throw new ProblemError({ ...problem, status: problem.status >= 500 ? 409 : problem.status, ...place });
	}
	if (isEnded(report)) return commandAnswer(report);
	throw new ProblemError({
		type: "urn:lode:error:TIMEOUT",
		title: "Timeout",
		status: 408,
		detail: `the command has not ended within ${timeout} s; it goes on`,
		code: "TIMEOUT",
		next: `Wait on: GET ${place.wait_url}?timeout=30, or look at ${place.status_url}${report.workflowUrl ? ` or ${report.workflowUrl}` : ""}.`,
		...place,
	});
}

/** An idempotency key as a client gave it. @throws USAGE */
export function checkedKey(header: string | undefined): string | undefined {
	if (header === undefined) return undefined;
	const { success, data, error } = idempotencyKeySchema.safeParse(header);
	if (success) return data;
	throw new LodeError("USAGE", error.issues[0]?.message ?? "Idempotency-Key is not valid");
}
