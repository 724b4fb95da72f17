import { randomBytes } from "node:crypto";
import pLimit from "p-limit";
import pRetry from "p-retry";
import type { ServerAddresses } from "../servers/server.js";

type LakefsAddresses = ServerAddresses["lakefs"];

export interface LakefsTestCommit {
	readonly branch?: string;
	readonly files?: readonly (readonly [name: string, content: string | Uint8Array])[];
	readonly deletes?: readonly string[];
	readonly message?: string;
	/** Unix seconds. */
	readonly date?: number;
	readonly metadata?: Readonly<Record<string, string>>;
}

/** A throw-away repository on a real lakeFS, changed through lakeFS's own API. */
export class LakefsTestRepository {
	readonly target: string;

	constructor(
		readonly server: LakefsAddresses,
		readonly name: string,
	) {
		this.target = `lakefs://${name}`;
	}

	/** Uploads, deletes and commits; returns the commit id. */
	async commit({ branch = "main", files = [], deletes = [], ...commit }: LakefsTestCommit = {}): Promise<string> {
		await this.stage(branch, files);
		for (let start = 0; start < deletes.length; start += 1_000) {
			const paths = deletes.slice(start, start + 1_000);
			await this.post(`/branches/${branch}/objects/delete?force=true`, { paths });
		}
		const { message = "A commit", date, metadata } = commit;
		const made = await this.post(`/branches/${branch}/commits`, { message, date, metadata, allow_empty: true });
		return made.id as string;
	}

	/** Uploads without committing. */
	async stage(branch: string, files: NonNullable<LakefsTestCommit["files"]>): Promise<void> {
		const limit = pLimit(8);
		const upload = async ([name, content]: readonly [string, string | Uint8Array]) => {
			const path = `/branches/${branch}/objects?${new URLSearchParams({ path: name })}`;
			await this.#request("POST", path, new Uint8Array(Buffer.from(content)), "application/octet-stream");
		};
		await Promise.all(files.map((file) => limit(() => upload(file))));
	}

	async branch(name: string, source = "main"): Promise<void> {
		await this.post("/branches", { name, source });
	}

	async deleteBranch(name: string): Promise<void> {
		await this.#request("DELETE", `/branches/${name}`);
	}

	async tag(id: string, ref = "main"): Promise<void> {
		await this.post("/tags", { id, ref });
	}

	/** Returns the id of the merge commit. */
	async merge(source: string, destination = "main"): Promise<string> {
		const { reference } = await this.post(`/refs/${source}/merge/${destination}`, { message: `Merge ${source}` });
		return reference as string;
	}

	/** A commit that undoes another one; returns its id. */
	async revert(ref: string, branch = "main", parent = 1): Promise<string> {
		await this.post(`/branches/${branch}/revert`, { ref, parent_number: parent });
		return this.head(branch);
	}

	/** Moves a branch to a commit that need not follow its tip. */
	async hardReset(branch: string, ref: string): Promise<void> {
		await this.#request("PUT", `/branches/${branch}/hard_reset?${new URLSearchParams({ ref })}`);
	}

	/** What became of the actions of a commit: `completed`, `failed` or, while they run, something else. */
	async actionsOf(commit: string): Promise<string[]> {
		const answer = await this.#request("GET", `/actions/runs?${new URLSearchParams({ commit })}`);
		const { results } = (await answer.json()) as { results: { status: string }[] };
		return results.map(({ status }) => status);
	}

	async head(branch = "main"): Promise<string> {
		const answer = await this.#request("GET", `/branches/${branch}`);
		return ((await answer.json()) as { commit_id: string }).commit_id;
	}

	/** Deletes the repository, and returns when the server, which remembers repositories for a while, has forgotten it. */
	async vanish(): Promise<void> {
		await this.remove();
		await pRetry(
			async () => {
				const gone = await this.#request("GET", "").then(
					() => false,
					(error: Error) => / 404 /.test(error.message),
				);
				if (!gone) throw new Error(`${this.target} is still there`);
			},
			{ retries: 300, minTimeout: 100, factor: 1 },
		);
	}

	/** Deletes the repository. */
	async remove(): Promise<void> {
		await this.#request("DELETE", "?force=true");
	}

	async post(path: string, body: unknown): Promise<Record<string, unknown>> {
		const answer = await this.#request("POST", path, JSON.stringify(body), "application/json");
		const text = await answer.text();
		// A new branch's commit id comes as it is.
		return text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {};
	}

	#request(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>, type?: string): Promise<Response> {
		return lakefsRequest(this.server, method, `/repositories/${this.name}${path}`, body, type);
	}
}

export async function createLakefsRepository(
	server: LakefsAddresses,
	options: { readonly branch?: string } = {},
): Promise<LakefsTestRepository> {
	const name = `test-${randomBytes(8).toString("hex")}`;
	const body = { name, storage_namespace: `local://${name}`, default_branch: options.branch ?? "main" };
	await lakefsRequest(server, "POST", "/repositories", JSON.stringify(body), "application/json");
	return new LakefsTestRepository(server, name);
}

function lakefsRequest(
	{ endpoint, accessKeyId, secretAccessKey }: LakefsAddresses,
	method: string,
	path: string,
	body?: string | Uint8Array<ArrayBuffer>,
	type?: string,
): Promise<Response> {
	const authorization = `Basic ${Buffer.from(`${accessKeyId}:${secretAccessKey}`).toString("base64")}`;
	const send = async () => {
		const headers = { authorization, ...(type !== undefined && { "content-type": type }) };
		const answer = await fetch(`${endpoint}/api/v1${path}`, { method, headers, body });
		if (!answer.ok) throw new Error(`lakeFS: ${method} ${path}: ${answer.status} ${await answer.text()}`);
		return answer;
	};
	// Many uploads at once make a server on a small machine refuse connections.
	return pRetry(send, { retries: 3, shouldRetry: ({ error }) => !/: 4\d\d /.test(error.message) });
}
