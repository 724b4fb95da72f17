import { z } from "zod";
import { LakefsHttp } from "./lakefs-http.js";
import type { LakefsOptions } from "./lakefs-options.js";

/** The most that lakeFS gives at once. */
export const PAGE = 1_000;

const repositorySchema = z.object({ id: z.string(), default_branch: z.string() });
const referenceSchema = z.object({ commit_id: z.string() });
const versionSchema = z.object({ version: z.string().default("") });
const userSchema = z.object({ user: z.object({ id: z.string() }) });
const paginationSchema = z.object({ has_more: z.boolean(), next_offset: z.string() });
const commitSchema = z.object({
	id: z.string().regex(/^[0-9a-f]{64}$/),
	parents: z.array(z.string()),
	committer: z.string().default(""),
	message: z.string().default(""),
	/** Seconds. */
	creation_date: z.number(),
	/** One more than the largest of its parents'. */
	generation: z.number(),
	/** Empty where the commit holds nothing. */
	meta_range_id: z.string().default(""),
	metadata: z.record(z.string(), z.string()).nullish(),
});
const objectSchema = z.object({
	path: z.string(),
	path_type: z.literal("object"),
	checksum: z.string(),
	size_bytes: z.number().int().nonnegative(),
});
const diffSchema = z.object({
	path: z.string(),
	path_type: z.literal("object"),
	type: z.enum(["added", "changed", "removed"]),
	size_bytes: z.number().int().nonnegative().optional(),
	right: z.object({ checksum: z.string() }).optional(),
});

export type LakefsCommit = z.infer<typeof commitSchema>;
export type LakefsDifference = z.infer<typeof diffSchema>;
type Page<T> = { readonly results: T[]; readonly pagination: z.infer<typeof paginationSchema> };

const pageOf = <T>(schema: z.ZodType<T>): z.ZodType<Page<T>> =>
	z.object({ results: z.array(schema), pagination: paginationSchema });
const commitsSchema = pageOf(commitSchema);
const objectsSchema = pageOf(objectSchema);
const differencesSchema = pageOf(diffSchema);

/** The part of lakeFS's API (its own description: `/openapi.json`) that reading commits needs. Undefined: there is no such thing. */
export class LakefsApi {
	readonly http: LakefsHttp;

	constructor(options: LakefsOptions) {
		this.http = new LakefsHttp(options);
	}

	get endpoint(): string {
		return this.http.endpoint;
	}

	version() {
		return this.http.find(versionSchema, { path: "/config/version", doing: "Asking lakeFS for its version" });
	}

	user() {
		return this.http.find(userSchema, { path: "/user", doing: "Asking lakeFS who the key belongs to" });
	}

	repository(repository: string) {
		return this.http.find(repositorySchema, { path: pathTo(repository), doing: reading(repository) });
	}

	branch(repository: string, branch: string, signal?: AbortSignal) {
		const path = `${pathTo(repository)}/branches/${encodeURIComponent(branch)}`;
		return this.http.find(referenceSchema, { path, doing: reading(repository), signal });
	}

	/** A commit by its id, the beginning of it, a tag, or an expression such as `main~1`. */
	commit(repository: string, ref: string, signal?: AbortSignal) {
		const path = `${pathTo(repository)}/commits/${encodeURIComponent(ref)}`;
		return this.http.find(commitSchema, { path, doing: reading(repository), signal });
	}

	/** A commit and others that it reaches. */
	log(repository: string, commit: string, amount: number, signal?: AbortSignal) {
		const path = `${pathTo(repository)}/refs/${commit}/commits`;
		return this.http.find(commitsSchema, {
			path,
			query: { amount },
			doing: `Reading the log of ${shown(repository)}`,
			signal,
		});
	}

	/** In the order of their names' bytes. */
	objects(repository: string, commit: string, after: string | undefined) {
		const path = `${pathTo(repository)}/refs/${commit}/objects/ls`;
		const query = { amount: PAGE, after, user_metadata: false };
		return this.http.find(objectsSchema, { path, query, doing: `Listing objects of ${shown(repository)}` });
	}

	/** What `to` has otherwise than `from`, in the order of the names' bytes. */
	differences(repository: string, from: string, to: string, after: string | undefined, stats: boolean) {
		const path = `${pathTo(repository)}/refs/${from}/diff/${to}`;
		const query = { type: "two_dot", amount: PAGE, after, include_right_stats: stats || undefined };
		return this.http.find(differencesSchema, { path, query, doing: `Comparing commits of ${shown(repository)}` });
	}

	object(repository: string, commit: string, name: string) {
		const path = `${pathTo(repository)}/refs/${commit}/objects/stat`;
		return this.http.find(objectSchema, { path, query: { path: name }, doing: `Reading ${shown(repository)}` });
	}

	content(repository: string, commit: string, name: string, maxBytes: number, signal?: AbortSignal) {
		return this.http.bytes({ ...contentCall(repository, commit, name), signal }, maxBytes);
	}

	stream(repository: string, commit: string, name: string) {
		return this.http.stream(contentCall(repository, commit, name));
	}
}

const shown = (repository: string): string => `lakefs://${repository}`;
const reading = (repository: string): string => `Reading ${shown(repository)}`;
const pathTo = (repository: string): string => `/repositories/${encodeURIComponent(repository)}`;

function contentCall(repository: string, commit: string, name: string) {
	const printable = name.replace(/\p{Cc}/gu, "?").slice(0, 200);
	return {
		path: `${pathTo(repository)}/refs/${commit}/objects`,
		query: { path: name },
		doing: `Reading ${printable} of ${shown(repository)}`,
	};
}
