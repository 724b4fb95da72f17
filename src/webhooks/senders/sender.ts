import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { z } from "zod";
import { LodeError } from "../../domain/errors.js";
import type { Notice } from "../receipt.js";

/** A request as it came. */
export interface WebhookRequest {
	readonly headers: IncomingHttpHeaders;
	/** The bytes that were signed. */
	readonly body: Buffer;
	readonly secret: string;
}

/** How one kind of sender proves who it is, and what it says. */
export interface Sender {
	/** Throws before anything of the body is read. @throws UNAUTHENTICATED */
	verify(request: WebhookRequest): Promise<void>;
	/** Undefined: nothing that moves a branch. @throws USAGE */
	notice(request: WebhookRequest): Notice | undefined;
}

/** Says nothing of what was wrong: only somebody with the secret needs to know. */
export function refused(): LodeError {
	return new LodeError("UNAUTHENTICATED", "The request is not signed with the secret that is configured here.", {
		next: "Give the sender the secret of this gateway, and have it send JSON.",
	});
}

/** In constant time, whatever the lengths. */
export function isSameSecret(given: string | undefined, secret: string): boolean {
	const digest = (text: string) => createHash("sha256").update(text).digest();
	return given !== undefined && timingSafeEqual(digest(given), digest(secret));
}

export function header(headers: IncomingHttpHeaders, name: string): string | undefined {
	const value = headers[name];
	const one = Array.isArray(value) ? value[0] : value;
	return one === undefined || one === "" ? undefined : one.slice(0, 500);
}

/** @throws USAGE, naming the first field that is missing or wrong */
export function readBody<T>(schema: z.ZodType<T>, body: Buffer): T {
	const { data, error } = schema.safeParse(parseJson(body));
	if (error !== undefined) throw unreadable(`${error.issues[0]?.path.join(".") ?? "it"} is missing or wrong`);
	return data;
}

function parseJson(body: Buffer): unknown {
	try {
		return JSON.parse(body.toString("utf8")) as unknown;
	} catch {
		throw unreadable("it is no JSON");
	}
}

export function unreadable(why: string): LodeError {
	return new LodeError("USAGE", `The body cannot be understood: ${why}.`, {
		next: "See docs/webhooks.md for what each sender has to send.",
	});
}

/** `refs/heads/main` is the branch `main`; tags and the like are none. */
export function branchOfRef(ref: string): string | undefined {
	return ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : undefined;
}

/** A key where the sender gives none: the same event of the same commit. */
export function eventKey(...parts: readonly (string | undefined)[]): string {
	return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 40);
}
