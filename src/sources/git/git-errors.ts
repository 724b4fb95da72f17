import { type ErrorCode, LodeError } from "../../domain/errors.js";

interface Rule {
	readonly code: ErrorCode;
	readonly next?: string;
	/** Lower-case parts of git's messages (LC_ALL=C), any of which decides. */
	readonly signs: readonly string[];
}

const CREDENTIALS =
	"Set up git's credential helper or ssh agent for this host, or give a token in LODE_GIT_TOKEN (https only).";
const RETRY = "Check the connection and try again: nothing was lost.";

/** The first rule that matches decides, so causes stand before the consequences that git reports after them. */
const RULES: readonly Rule[] = [
	{
		code: "DISK_FULL",
		next: "Free some space, then retry.",
		signs: ["no space left on device", "disk quota exceeded", "not enough space"],
	},
	{
		code: "PERMISSION_DENIED",
		next: "The repository belongs to another user. If you trust it: git config --global --add safe.directory PATH",
		signs: ["dubious ownership"],
	},
	{ code: "SOURCE_BUSY", next: "Try again in a minute.", signs: [".lock': file exists", "cannot lock ref"] },
	{
		code: "COMMIT_NOT_FOUND",
		next: "Fetchable are commits that a branch or a tag of the repository still reaches.",
		signs: [
			"not our ref",
			"unadvertised object",
			"couldn't find remote ref",
			"unknown revision",
			"needed a single revision",
		],
	},
	{
		code: "SOURCE_NOT_FOUND",
		next: "Check the address, and that the server offers the repository.",
		signs: ["repository not exported"],
	},
	{
		code: "PERMISSION_DENIED",
		next: CREDENTIALS,
		signs: [
			"could not read username",
			"could not read password",
			"authentication failed",
			"permission denied",
			"access denied",
			"returned error: 401",
			"returned error: 403",
			"host key verification failed",
			"operation not permitted",
		],
	},
	{
		code: "SOURCE_NOT_FOUND",
		next: "Check the address, and that you may read it: many servers say so of private repositories too.",
		signs: [
			"not a git repository",
			"does not appear to be a git repository",
			"repository not found",
			"returned error: 404",
			"could not be found",
			"' not found",
			"does not exist",
		],
	},
	{
		code: "SOURCE_UNAVAILABLE",
		next: "The server redirects elsewhere, which a token must not follow: use the address that it redirects to.",
		signs: ["returned error: 301", "returned error: 302", "returned error: 307", "returned error: 308"],
	},
	{
		code: "REPOSITORY_UNREADABLE",
		next: "Check it with: git fsck",
		signs: [
			"repository corruption",
			"is corrupt",
			"corrupt loose object",
			"lacks these prerequisite commits",
			"unable to read",
			"could not read object",
			"bad object",
			"bad tree",
			"bad config",
			"missing blob",
			"missing tree",
			"missing commit",
			"did not send all necessary objects",
			"object file",
			"not a valid object",
			"unable to get object info",
			"inflate",
			"unknown repository extension",
			"expected git repo version",
			"mismatched algorithms",
		],
	},
	{
		code: "SOURCE_UNAVAILABLE",
		next: RETRY,
		signs: [
			"could not resolve host",
			"name or service not known",
			"connection refused",
			"connection timed out",
			"connection reset",
			"connection closed",
			"operation timed out",
			"operation too slow",
			"network is unreachable",
			"failed to connect",
			"unable to connect",
			"unable to look up",
			"certificate",
			"ssl",
			"early eof",
			"hung up",
			"unexpected disconnect",
			"rpc failed",
			"could not read from remote repository",
			"invalid index-pack output",
			"returned error: 429",
			"returned error: 5",
		],
	},
	{
		code: "SOURCE_NOT_FOUND",
		next: "Lode follows https, http, ssh, git and file addresses only.",
		signs: ["transport '"],
	},
];

/** What git said, mapped to a code. `doing` names the operation and the thing; `fallback` is for messages that no rule knows. */
export function gitFailure(
	doing: string,
	stderr: string,
	fallback: ErrorCode,
	secrets: readonly string[] = [],
): LodeError {
	const said = stderr.toLowerCase();
	const rule = RULES.find(({ signs }) => signs.some((sign) => said.includes(sign)));
	const code = rule?.code ?? fallback;
	const reason = redact(firstReason(stderr), secrets);
	return new LodeError(code, reason === "" ? `${doing} failed.` : `${doing} failed: ${reason}`, {
		next: rule?.next ?? (code === "SOURCE_UNAVAILABLE" ? RETRY : undefined),
	});
}

/** Removes what may be a secret (the user's `insteadOf` settings put tokens into URLs), and what would steer a terminal. */
export function redact(text: string, secrets: readonly string[] = []): string {
	let safe = text.replace(/\p{Cc}+/gu, " ");
	for (const secret of secrets) {
		if (secret.length > 3) safe = safe.replaceAll(secret, "***");
	}
	return safe
		.replace(/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]{1,500}@/gi, "$1***@")
		.replace(/(authorization:\s*\S{1,20}\s+)\S+/gi, "$1***")
		.slice(0, 400);
}

/** The line that says why: git prints causes first, then what followed from them, and progress between. */
function firstReason(stderr: string): string {
	const lines = stderr.split(/[\r\n]+/).map((line) => line.trim());
	const reason =
		lines.find((line) => /^(fatal|error|remote: (fatal|error)):/i.test(line)) ??
		lines.find((line) => line !== "" && !line.startsWith("warning:")) ??
		"";
	return reason.replace(/^(remote: )?(fatal|error): /i, "");
}
