import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode, LodeError } from "../../domain/errors.js";
import { sourceHome } from "../source-home.js";
import type { BlobProcesses } from "./blob-processes.js";
import type { GitCall, GitCommand, GitResult } from "./git-command.js";
import { gitEnvironment } from "./git-environment.js";
import { gitFailure, redact } from "./git-errors.js";
import { hasObject, type ObjectReader } from "./git-objects.js";
import { isObjectId, type Remotes, remoteCall, remoteSecrets, requireLocal } from "./git-remote.js";
import { removeStaleGitLocks, withMirrorLock } from "./mirror-lock.js";

/** What of a source a mirror is made of. */
export interface Mirrored {
	readonly id: string;
	readonly address: string;
	readonly branch: string;
}

export type Progress = (done: string) => void;

const KEPT = "refs/lode/commits/";
/** A file for each commit that was prepared while the mirror was shallow. */
const BOUNDARIES = "lode-boundaries";
const FETCH_SILENCE_MS = 15 * 60_000;
const PROGRESS_MS = 2_000;
const LOCK_TRIES = 45;
const LEFTOVER_MS = 60 * 60_000;
const LOOSE_IN_ONE_FOLDER = 27;
/** A pack is two or three files; git packs packs together from 50 on. */
const PACK_FILES = 150;
/**
 * Of a repository on this machine: what is not packed there yet is sent whole. Nothing travels far, so looking for deltas and thorough compression
 * are the larger cost (2.1 of 2.9 s of 2,800 loose files). Deltas that are there already are sent as they are.
 */
const UPLOAD_HERE = "git -c pack.window=0 -c pack.compression=1 upload-pack";
/** Trying another way to fetch cannot help against these. */
const FINAL = new Set(["DISK_FULL", "PERMISSION_DENIED", "SOURCE_NOT_FOUND", "SOURCE_UNAVAILABLE", "CANCELLED"]);

/** The bare mirrors under Lode's home, one a source. Each prepared commit has a ref there, so that force-pushes lose nothing. */
export class GitMirrors {
	readonly #git: GitCommand;
	readonly #processes: BlobProcesses;
	readonly #home: string;
	readonly #remotes: Remotes;

	constructor(git: GitCommand, remotes: Remotes, processes: BlobProcesses) {
		this.#git = git;
		this.#processes = processes;
		this.#home = remotes.home;
		this.#remotes = remotes;
	}

	folder(source: Pick<Mirrored, "id">): string {
		return path.join(sourceHome(this.#home, source.id), "mirror.git");
	}

	/** How to run git on a mirror: arguments to begin with, and an environment without anything of the user's. */
	local(
		source: Pick<Mirrored, "id">,
		signal?: AbortSignal,
	): { readonly args: readonly string[]; readonly call: GitCall } {
		const args = [`--git-dir=${this.folder(source)}`];
		return { args, call: { env: gitEnvironment("local"), cwd: path.parse(this.#home).root, signal } };
	}

	/** An error of a command on the mirror, which is Lode's own data. */
	failure(source: Pick<Mirrored, "id">, doing: string): (stderr: string) => LodeError {
		const mirror = this.folder(source);
		return (stderr) => {
			const error = gitFailure(doing, stderr, "REPOSITORY_UNREADABLE");
			if (error.code === "COMMIT_NOT_FOUND" || /bad object|not a tree object|not a git repository/i.test(stderr)) {
				return new LodeError("COMMIT_NOT_FOUND", `${doing} failed: the commit is not in Lode's mirror.`, {
					next: `Ingest the source again. If that does not help, delete ${mirror}: it is fetched anew.`,
				});
			}
			return new LodeError(error.code, error.message, { next: `Delete ${mirror}: it is fetched anew.` });
		};
	}

	async forget(source: Pick<Mirrored, "id">): Promise<void> {
		await rm(sourceHome(this.#home, source.id), { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
	}

	/** Makes the commit and everything it reaches readable for good. @throws COMMIT_NOT_FOUND and whatever access fails with */
	async prepare(source: Mirrored, commit: string, progress: Progress, signal: AbortSignal | undefined): Promise<void> {
		if (!isObjectId(commit)) throw notThere(source, commit);
		if (await this.#isKept(source, commit)) return;
		await this.#exclusively(source, progress, signal, async (inner, report) => {
			if (await this.#isKept(source, commit)) return;
			const there = await this.#create(source, commit.length === 64 ? "sha256" : "sha1", inner);
			if (there && (await this.#has(source, commit, inner))) {
				await this.#rememberBoundary(source, commit);
				return this.#keep(source, commit, inner);
			}
			await this.#fetchCommit(source, commit, report, inner);
			await this.#rememberBoundary(source, commit);
			await this.#tidy(source, inner);
		});
	}

	/** Whether the mirror got more of the history behind a commit since that was prepared. */
	async logChanged(source: Pick<Mirrored, "id">, commit: string): Promise<boolean> {
		const [then, now] = await Promise.all([
			readFile(path.join(this.folder(source), BOUNDARIES, commit), "latin1").catch(() => undefined),
			this.#boundary(source),
		]);
		return then !== undefined && then !== now;
	}

	/** Of a shallow mirror only: where its history ended when the commit was prepared. */
	async #rememberBoundary(source: Mirrored, commit: string): Promise<void> {
		const boundary = await this.#boundary(source);
		if (boundary === "") return;
		const folder = path.join(this.folder(source), BOUNDARIES);
		await mkdir(folder, { recursive: true });
		await writeFile(path.join(folder, commit), boundary, "latin1");
	}

	/** The commits whose parents are not here, in order; empty for a whole history. */
	async #boundary(source: Pick<Mirrored, "id">): Promise<string> {
		const text = await readFile(path.join(this.folder(source), "shallow"), "latin1").catch(() => "");
		return text.split("\n").filter(Boolean).sort().join("\n");
	}

	/**
	 * The full id of the commit that a prefix (or the id of a tag) names, among everything the repository offers.
	 * @throws REF_NOT_FOUND
	 */
	async find(source: Mirrored, prefix: string, format: "sha1" | "sha256"): Promise<string> {
		const quiet: Progress = () => {};
		if (isObjectId(prefix) && (await this.#isKept(source, prefix))) return prefix;
		return this.#exclusively(source, quiet, undefined, async (signal) => {
			await this.#create(source, format, signal);
			const refs = await this.#fetch(source, this.#refSpecs(source), quiet, signal);
			if (refs.code !== 0) throw await this.#fetchError(source, refs.stderr);
			let named = await this.#revParse(source, `${prefix}^{commit}`, signal);
			if (named === undefined && isObjectId(prefix)) {
				// Servers may offer what no branch reaches any more, to those who know its id.
				await this.#fetch(source, [`+${prefix}:${KEPT}${prefix}`], quiet, signal);
				named = await this.#revParse(source, `${prefix}^{commit}`, signal);
			}
			if (named !== undefined) return named;
			throw new LodeError("REF_NOT_FOUND", `${source.address} has no branch, tag or single commit ${prefix}.`, {
				next: "Check the name. Of a commit id give at least as many digits as make it unique.",
			});
		});
	}

	async #exclusively<T>(
		source: Mirrored,
		progress: Progress,
		signal: AbortSignal | undefined,
		work: (signal: AbortSignal, report: Progress) => Promise<T>,
	): Promise<T> {
		const folder = sourceHome(this.#home, source.id);
		await mkdir(folder, { recursive: true });
		let latest = "preparing";
		const report: Progress = (done) => {
			latest = done;
		};
		// By time, not by what git says: a heartbeat hangs on it, and git may be silent for long.
		const timer = setInterval(() => progress(latest), PROGRESS_MS);
		try {
			const onWait = () => report("waiting for another fetch of the same source");
			return await withMirrorLock(folder, { signal, onWait }, (inner) => work(inner, report));
		} finally {
			clearInterval(timer);
		}
	}

	/** Whether it was there already. A mirror appears by a rename, so that a killed process leaves none or a whole one. */
	async #create(source: Mirrored, format: "sha1" | "sha256", signal: AbortSignal): Promise<boolean> {
		const folder = this.folder(source);
		if (await exists(path.join(folder, "HEAD"))) return true;
		const making = `${folder}.new`;
		await rm(making, { recursive: true, force: true });
		const { call } = this.local(source, signal);
		// Git before 2.29 knows one format only and no such option.
		const formatArgs = format === "sha256" ? ["--object-format=sha256"] : [];
		const init = ["init", "--quiet", "--bare", "--template=", ...formatArgs, "--", making];
		const { code, stderr } = await this.#git.run(init, { ...call, env: { ...call.env, GIT_DEFAULT_HASH: "sha1" } });
		if (code !== 0) throw gitFailure(`Creating the mirror ${folder}`, stderr, "REPOSITORY_UNREADABLE");
		await rm(folder, { recursive: true, force: true });
		await rename(making, folder);
		return false;
	}

	/** Without a git process: this is what most calls end with. */
	async #isKept(source: Mirrored, commit: string): Promise<boolean> {
		const ref = await readFile(path.join(this.folder(source), KEPT, commit), "latin1").catch(() => undefined);
		return ref?.trim() === commit;
	}

	/** Whether the commit is there with everything that it reaches: a killed fetch may have left it without its trees. */
	async #has(source: Mirrored, commit: string, signal: AbortSignal): Promise<boolean> {
		const failed = this.failure(source, `Looking for a commit of ${source.address}`);
		const { args, call } = this.local(source, signal);
		const reader = { git: this.#git, args, call, failed, processes: this.#processes };
		if (!(await this.#mayHave(reader, commit))) return false;
		const walk = ["rev-list", "--objects", "--quiet", `${commit}^{commit}`, "--not", "--all"];
		return (await this.#git.run([...args, ...walk], call)).code === 0;
	}

	/** By a process that is kept, where the next one asked for the commit's contents. A mirror that cannot be read has nothing: it is fetched into. */
	async #mayHave(reader: ObjectReader, commit: string): Promise<boolean> {
		try {
			return await hasObject(reader, commit, "commit");
		} catch (error) {
			if (errorCode(error) === "CANCELLED") throw error;
			return false;
		}
	}

	async #keep(source: Mirrored, commit: string, signal: AbortSignal): Promise<void> {
		if (await this.#isKept(source, commit)) return;
		const { args, call } = this.local(source, signal);
		const update = [...args, "update-ref", `${KEPT}${commit}`, commit];
		const { code, stderr } = await this.#pastStaleLocks(source, signal, () => this.#git.run(update, call));
		if (code !== 0) throw this.failure(source, `Keeping commit ${commit} of ${source.address}`)(stderr);
	}

	async #revParse(source: Mirrored, expression: string, signal: AbortSignal): Promise<string | undefined> {
		const { args, call } = this.local(source, signal);
		const parse = ["rev-parse", "--verify", "--quiet", "--end-of-options", expression];
		const { code, stdout } = await this.#git.run([...args, ...parse], call);
		const id = stdout.toString("latin1").trim();
		return code === 0 && isObjectId(id) ? id : undefined;
	}

	async #fetchCommit(source: Mirrored, commit: string, report: Progress, signal: AbortSignal): Promise<void> {
		const refs = this.#refSpecs(source);
		const wanted = `+${commit}:${KEPT}${commit}`;
		let failure: LodeError | undefined;
		// Together is one round trip; a server may refuse the id, or this file system a ref's name: then one of them without the other.
		for (const refSpecs of [[...refs, wanted], refs, [wanted]]) {
			const { code, stderr } = await this.#fetch(source, refSpecs, report, signal);
			// Git moves a ref only once it has seen that everything behind it is there.
			if (code === 0 && (await this.#isKept(source, commit))) return;
			if (await this.#has(source, commit, signal)) return this.#keep(source, commit, signal);
			if (code === 0) break;
			const error = await this.#fetchError(source, stderr);
			if (FINAL.has(error.code)) throw error;
			if (error.code !== "COMMIT_NOT_FOUND") failure ??= error;
		}
		throw failure ?? notThere(source, commit);
	}

	#refSpecs(source: Mirrored): string[] {
		const head = source.branch === "HEAD" ? ["+HEAD:refs/lode/head"] : [];
		return ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*", ...head];
	}

	async #fetch(source: Mirrored, refSpecs: string[], report: Progress, signal: AbortSignal): Promise<GitResult> {
		await requireLocal(source.address);
		await this.#removeLeftovers(source);
		const shallow = await exists(path.join(this.folder(source), "shallow"));
		const args = [
			`--git-dir=${this.folder(source)}`,
			"fetch",
			"--progress",
			"--no-write-fetch-head",
			"--prune",
			"--no-tags",
			"--force",
			"--no-recurse-submodules",
			"--update-shallow",
			// As deep as the source is now: it may have got more of its history since.
			...(shallow ? ["--unshallow"] : []),
			...(path.isAbsolute(source.address) ? [`--upload-pack=${UPLOAD_HERE}`] : []),
			"--",
			source.address,
			...refSpecs,
		];
		const call: GitCall = {
			...(await remoteCall(this.#remotes, source.address)),
			signal,
			silenceMs: FETCH_SILENCE_MS,
			onProgress: (text) => report(lastLine(text)),
		};
		return this.#pastStaleLocks(source, signal, () => this.#git.run(args, call));
	}

	async #fetchError(source: Mirrored, stderr: string): Promise<LodeError> {
		const error = gitFailure(`Fetching from ${source.address}`, stderr, "SOURCE_UNAVAILABLE", remoteSecrets());
		// A repository that disappears in the middle looks damaged to git.
		if (!FINAL.has(error.code)) await requireLocal(source.address);
		return error;
	}

	/** Repeats what met a lock file of git's until the file is gone, or so old that it is nobody's. */
	async #pastStaleLocks(source: Mirrored, signal: AbortSignal, attempt: () => Promise<GitResult>): Promise<GitResult> {
		for (let tries = 1; ; tries++) {
			const result = await attempt();
			if (result.code === 0 || tries > LOCK_TRIES || !/\.lock': File exists/i.test(result.stderr)) return result;
			if ((await removeStaleGitLocks(this.folder(source))) === 0)
				await sleep(1_000, undefined, { signal }).catch(() => {});
		}
	}

	/** Half-received packs of killed fetches. */
	async #removeLeftovers(source: Mirrored): Promise<void> {
		const packs = path.join(this.folder(source), "objects", "pack");
		for (const name of await readdir(packs).catch(() => [])) {
			if (!name.startsWith("tmp_")) continue;
			const file = path.join(packs, name);
			const age = Date.now() - ((await stat(file).catch(() => undefined))?.mtimeMs ?? Date.now());
			if (age > LEFTOVER_MS) await rm(file, { force: true });
		}
	}

	/** Packs what many small fetches left. Kept commits survive: they have refs. */
	async #tidy(source: Mirrored, signal: AbortSignal): Promise<void> {
		const objects = path.join(this.folder(source), "objects");
		const count = async (folder: string): Promise<number> =>
			(await readdir(path.join(objects, folder)).catch(() => [])).length;
		// Git's own estimate, without a process: ids are evenly spread, so one folder of 256 tells about all.
		if ((await count("17")) < LOOSE_IN_ONE_FOLDER && (await count("pack")) < PACK_FILES) return;
		const { args, call } = this.local(source, signal);
		const settings = ["gc.auto=6700", "gc.autoDetach=false", "pack.threads=1", "pack.windowMemory=64m"];
		const gc = [...settings.flatMap((setting) => ["-c", setting]), "gc", "--auto", "--quiet"];
		try {
			await this.#git.run([...args, ...gc], call);
		} catch (error) {
			if (errorCode(error) === "CANCELLED") throw error;
		}
	}
}

function notThere(source: Mirrored, commit: string): LodeError {
	return new LodeError(
		"COMMIT_NOT_FOUND",
		`${source.address} does not offer the commit ${redact(commit).slice(0, 80)}.`,
		{
			next: "Fetchable are commits that a branch or a tag of the repository still reaches.",
		},
	);
}

function lastLine(text: string): string {
	return redact(
		text
			.trim()
			.split(/[\r\n]+/)
			.pop() ?? "",
		remoteSecrets(),
	).slice(0, 120);
}

async function exists(file: string): Promise<boolean> {
	return access(file).then(
		() => true,
		() => false,
	);
}
