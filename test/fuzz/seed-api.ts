import { setTimeout as sleep } from "node:timers/promises";
import type { TestRepository } from "../support/git-repository.js";

interface Place {
	readonly url: string;
	readonly secret: string;
	readonly repository: TestRepository;
	/** Where git clones the repository from. */
	readonly target: string;
}

const FILES = 1_500;

/** Has each operation of the document answer with a 2xx once, and leaves things behind for a fuzzer to find. By method and path as the document has them. */
export async function seedApi({ url, secret, repository, target }: Place): Promise<Map<string, number>> {
	const reached = new Map<string, number>();
	/** `place`: the path as the document has it, where it has placeholders. */
	async function ask(method: string, path: string, body?: unknown, place = path.split("?")[0]) {
		const response = await fetch(`${url}${path}`, {
			method,
			headers: { authorization: `Bearer ${secret}`, ...(body !== undefined && { "content-type": "application/json" }) },
			...(body !== undefined && { body: JSON.stringify(body) }),
		});
		const text = await response.text();
		if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
		reached.set(`${method} ${place}`, response.status);
		// biome-ignore lint/suspicious/noExplicitAny: answers of every form.
		return (response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : undefined) as any;
	}

	await repository.commit({
		files: { "src/a.ts": "export function parse() {\n\treturn 1;\n}\n", "models/customers.sql": "select 1 as id\n" },
	});
	await repository.branch("gone");
	const { result } = await ask("POST", "/api/v1/sources", { target });
	const source = result.source.id as string;
	const gone = await ask("POST", "/api/v1/sources", { target, ref: "gone" });
	const first = await ask("POST", "/api/v1/ingestions?timeout=120", { source });
	await ask("DELETE", `/api/v1/sources/${gone.result.source.id}?timeout=120`, undefined, "/api/v1/sources/{source}");
	await repository.commit({
		files: Object.fromEntries(
			Array.from({ length: FILES }, (_, at) => [`src/${at}.ts`, `export const value${at} = ${at};\n`]),
		),
	});
	const second = await ask("POST", "/api/v1/ingestions", { source });
	const command = second.command_id as string;
	let ingestion: string | null = null;
	for (let tries = 0; ingestion === null && tries < 600; tries++) {
		await sleep(50);
		const status = await ask("GET", `/api/v1/commands/${command}`, undefined, "/api/v1/commands/{id}");
		if (status.status === "RUNNING") ({ ingestion } = status);
	}
	const one = "/api/v1/ingestions/{id}";
	await ask("POST", `/api/v1/ingestions/${ingestion}/cancel?timeout=120`, undefined, `${one}/cancel`);
	await ask("POST", `/api/v1/ingestions/${ingestion}/retry?timeout=300`, undefined, `${one}/retry`);
	await ask("GET", `/api/v1/ingestions/${ingestion}`, undefined, one);
	await ask("GET", "/api/v1/ingestions");
	const wait = `/api/v1/commands/${first.command_id}/wait`;
	await ask("GET", wait, undefined, "/api/v1/commands/{id}/wait");
	await ask("POST", "/api/v1/verifications?timeout=120", { source });
	await ask("POST", "/api/v1/garbage-collections?timeout=120");
	await ask("GET", "/health/live");
	await ask("GET", "/health/ready");
	await ask("GET", "/api/v1/sources");
	await ask("GET", `/api/v1/sources/${source}`, undefined, "/api/v1/sources/{source}");
	await ask("GET", `/api/v1/sources/${source}/groups`, undefined, "/api/v1/sources/{source}/groups");
	const group = "/api/v1/groups/{id}";
	await ask("POST", "/api/v1/groups?timeout=120", { source, name: "code", include: ["src/**"] });
	await ask("GET", "/api/v1/groups");
	await ask("GET", `/api/v1/groups/${source}:code`, undefined, group);
	await ask("PUT", `/api/v1/groups/${source}:code?timeout=120`, { include: ["src/a.ts"] }, group);
	await ask("DELETE", `/api/v1/groups/${source}:code?timeout=120`, undefined, group);
	const artifacts = "/api/v1/sources/{source}/artifacts";
	await ask("GET", `/api/v1/sources/${source}/artifacts`, undefined, artifacts);
	await ask("GET", `/api/v1/sources/${source}/artifacts/content?path=src/a.ts`, undefined, `${artifacts}/content`);
	await ask("GET", "/api/v1/search?q=parse");
	await ask("GET", "/api/v1/graph?entity=parse");
	await ask("GET", `/api/v1/diff?source=${source}&from=1&to=2`);
	await ask("GET", "/api/v1/snapshots");
	await ask("GET", "/api/v1/events");
	const { key } = await ask("POST", "/api/v1/keys", { name: "a key", roles: ["viewer"] });
	await ask("GET", "/api/v1/keys");
	await ask("DELETE", `/api/v1/keys/${key.id}`, undefined, "/api/v1/keys/{id}");
	return reached;
}
