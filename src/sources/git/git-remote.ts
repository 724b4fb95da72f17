import { access, constants, mkdir } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { LodeError } from "../../domain/errors.js";
import type { GitCall, GitCommand } from "./git-command.js";
import { type GitEnvironmentOptions, gitEnvironment } from "./git-environment.js";
import { gitFailure } from "./git-errors.js";
import type { Pins } from "./remote-pins.js";

/** What a repository advertises. Tags are peeled to what they point at. */
export interface Advertised {
	/** The branch that HEAD names; undefined when it is detached, unborn or not told. */
	readonly headBranch: string | undefined;
	/** Object ids by full ref name (`HEAD`, `refs/heads/main`, `refs/tags/v1`). */
	readonly refs: ReadonlyMap<string, string>;
}

const SILENCE_MS = 120_000;
const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export function isObjectId(text: string): boolean {
	return OBJECT_ID.test(text);
}

/** Where mirrors lie, and what holds for repositories on other machines. */
export interface Remotes {
	readonly home: string;
	readonly pins: Pins;
}

/** What a call that talks to a repository at `address` needs; `file` is allowed for addresses on this machine only. @throws FORBIDDEN */
export async function remoteCall(
	{ home, pins }: Remotes,
	address: string,
): Promise<Pick<GitCall, "env" | "cwd" | "detached">> {
	const folder = path.join(home, "sources");
	const options: GitEnvironmentOptions = path.isAbsolute(address)
		? { protocols: "file", ceiling: home }
		: {
				protocols: "git:http:https:ssh",
				httpsAddress: address.startsWith("https://") ? address : undefined,
				ceiling: home,
				settings: await pins(address),
			};
	return { env: gitEnvironment("remote", options), cwd: folder, detached: true };
}

/** What must never appear in a message. */
export function remoteSecrets(): readonly string[] {
	const token = process.env.LODE_GIT_TOKEN?.trim();
	return token ? [token, Buffer.from(`x-access-token:${token}`, "utf8").toString("base64")] : [];
}

/** Lists refs without fetching anything. `patterns` as `git ls-remote` takes them; none: all. */
export async function listRemote(
	git: GitCommand,
	remotes: Remotes,
	address: string,
	patterns: readonly string[],
	signal?: AbortSignal,
): Promise<Advertised> {
	await requireLocal(address);
	await mkdir(path.join(remotes.home, "sources"), { recursive: true });
	const { code, stdout, stderr } = await git.run(["ls-remote", "--symref", "--", address, ...patterns], {
		...(await remoteCall(remotes, address)),
		silenceMs: SILENCE_MS,
		signal,
	});
	if (code !== 0) {
		await requireLocal(address);
		throw gitFailure(`Reading the refs of ${address}`, stderr, "SOURCE_UNAVAILABLE", remoteSecrets());
	}
	return parseAdvertised(stdout.toString("utf8"));
}

/** A local address that is gone or closed is told from one that git cannot read: git says the same of both. */
export async function requireLocal(address: string): Promise<void> {
	if (!path.isAbsolute(address)) return;
	try {
		await access(address, constants.R_OK);
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code;
		if (code === "EACCES" || code === "EPERM") {
			throw new LodeError("PERMISSION_DENIED", `Reading the repository at ${address} is not permitted.`, {
				next: "Give the user that runs Lode read access to it.",
				cause: error,
			});
		}
		throw new LodeError("SOURCE_NOT_FOUND", `There is no repository at ${address} any more.`, {
			next: "Check the path. What was published of it stays searchable.",
			cause: error,
		});
	}
}

function parseAdvertised(text: string): Advertised {
	let headBranch: string | undefined;
	const refs = new Map<string, string>();
	for (const line of text.split("\n")) {
		const [value, name] = line.split("\t", 2);
		if (value === undefined || name === undefined) continue;
		if (value.startsWith("ref: ")) {
			if (name === "HEAD" && value.startsWith("ref: refs/heads/")) headBranch = value.slice("ref: refs/heads/".length);
		} else if (OBJECT_ID.test(value)) {
			// The peeled line of a tag follows the tag's own, and replaces it.
			refs.set(name.endsWith("^{}") ? name.slice(0, -3) : name, value);
		}
	}
	return { headBranch, refs };
}
