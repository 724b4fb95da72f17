import { readFile } from "node:fs/promises";
import path from "node:path";
import type { CommitInfo } from "../../domain/commits.js";
import { LodeError } from "../../domain/errors.js";
import { cut, isoTime, MAX_NAME, MAX_SUBJECT } from "../commit-text.js";
import { pages } from "../pages.js";
import { encodePath } from "../path-name.js";
import type { CommitRange } from "../source.port.js";
import type { ObjectReader } from "./git-objects.js";
import { nulTokens } from "./nul-tokens.js";

const PAGE = 500;
/** A page holds that many paths at most, give or take one commit's. */
const PAGE_PATHS = 50_000;
const MAX_PATHS = 2_000;
const FIELDS = ["%H", "%P", "%an", "%ae", "%at", "%s"];

/** Commits of `to` and not of `from` (added), then those of `from` and not of `to` (removed): newest first, children before parents. */
export async function* commitRanges(
	reader: ObjectReader,
	mirror: string,
	from: string | undefined,
	to: string,
): AsyncGenerator<readonly CommitRange[]> {
	const boundary = await shallowBoundary(mirror);
	const weight = (range: CommitRange): number => range.commit.paths.length;
	let forward = false;
	for await (const page of pages(log(reader, "added", to, from, boundary), PAGE, weight, PAGE_PATHS)) {
		forward ||= page.some(({ commit }) => from !== undefined && commit.parents.includes(from));
		yield page;
	}
	// Where one of the added commits follows `from`, `to` reaches it and nothing is removed. That is nearly always so, and a process costs more
	// than anything else of a small commit's plan.
	if (from !== undefined && !forward) {
		yield* pages(log(reader, "removed", from, to, boundary), PAGE, weight, PAGE_PATHS);
	}
}

async function* log(
	reader: ObjectReader,
	type: CommitRange["type"],
	include: string,
	exclude: string | undefined,
	boundary: ReadonlySet<string>,
): AsyncGenerator<CommitRange> {
	const args = [
		...reader.args,
		"log",
		"-z",
		"--topo-order",
		"--encoding=UTF-8",
		"--no-mailmap",
		`--format=${FIELDS.join("%x00")}`,
		// Not --name-only: in that, a path cannot be told from the next commit's id.
		"--raw",
		"--no-renames",
		"--no-abbrev",
		"--ignore-submodules=none",
		include,
		...(exclude === undefined ? [] : ["--not", exclude]),
		"--",
	];
	for await (const commit of parse(nulTokens(reader.git.output(args, reader.call, reader.failed)))) {
		// What the commits at the edge of a shallow clone touched cannot be told: git takes all their files for new.
		yield { type, commit: boundary.has(commit.sha) ? { ...commit, paths: [] } : commit };
	}
}

/** Six fields a commit, then pairs of `:mode … status` and path until the next commit's id. */
async function* parse(tokens: AsyncIterable<Buffer>): AsyncGenerator<CommitInfo> {
	let fields: Buffer[] = [];
	let paths: string[] = [];
	let pathFollows = false;
	for await (const token of tokens) {
		if (pathFollows) {
			if (paths.length < MAX_PATHS) paths.push(encodePath(token));
			pathFollows = false;
		} else if (fields.length < FIELDS.length && fields.length > 0) {
			fields.push(token);
		} else if (fields.length === FIELDS.length && /^\n?:\d{6} /.test(token.toString("latin1", 0, 9))) {
			pathFollows = true;
		} else {
			if (fields.length > 0) yield commitInfo(fields, paths);
			fields = [token];
			paths = [];
		}
	}
	if (fields.length > 0) yield commitInfo(fields, paths);
}

function commitInfo(fields: readonly Buffer[], paths: readonly string[]): CommitInfo {
	const [sha = "", parents = "", authorName = "", authorEmail = "", seconds = "", subject = ""] = fields.map((field) =>
		field.toString("utf8"),
	);
	if (!/^[0-9a-f]{40,64}$/.test(sha) || fields.length !== FIELDS.length) {
		throw new LodeError("REPOSITORY_UNREADABLE", "Reading the log failed: git listed something else than commits.");
	}
	return {
		sha,
		parents: parents === "" ? [] : parents.split(" "),
		authorName: cut(authorName, MAX_NAME),
		authorEmail: cut(authorEmail, MAX_NAME),
		authoredAt: isoTime(Number(seconds)),
		subject: cut(subject, MAX_SUBJECT),
		paths,
	};
}

async function shallowBoundary(mirror: string): Promise<ReadonlySet<string>> {
	const text = await readFile(path.join(mirror, "shallow"), "latin1").catch(() => "");
	return new Set(text.split("\n").filter((line) => line !== ""));
}
