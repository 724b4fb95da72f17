import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { environment } from "./lode-process.js";

const MAIN = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

/** `legacy`: the handshake of 2025's protocol, which most clients speak; `auto`: that of 2026, and the older where the server has none. */
export type Era = "legacy" | "auto";

const newClient = (era: Era) =>
	new Client({ name: "lode-test", version: "1" }, era === "legacy" ? {} : { versionNegotiation: { mode: "auto" } });

/** The official client with a `lode mcp` of its own; `stderr` is what that printed there. */
export async function stdioClient(
	home: string,
	era: Era,
	extra: Record<string, string> = {},
): Promise<{ client: Client; stderr: () => string }> {
	const transport = new StdioClientTransport({
		command: process.execPath,
		args: [MAIN, "mcp"],
		env: environment(home, extra) as Record<string, string>,
		stderr: "pipe",
	});
	let stderr = "";
	transport.stderr?.on("data", (data) => {
		stderr += data;
	});
	const client = newClient(era);
	await client.connect(transport);
	return { client, stderr: () => stderr };
}

/** A `lode mcp --http` on a free port. */
export class McpHttpProcess {
	private constructor(
		readonly url: string,
		private readonly child: ChildProcess,
	) {}

	static async start(home: string): Promise<McpHttpProcess> {
		const child = spawn(process.execPath, [MAIN, "mcp", "--http", "--port", "0", "--json"], {
			env: environment(home, {}),
			stdio: ["ignore", "pipe", "ignore"],
		});
		const [first] = await Promise.race([once(child.stdout, "data"), once(child, "close")]);
		if (typeof first === "number" || first === null) throw new Error(`lode mcp --http exited with ${first}`);
		return new McpHttpProcess((JSON.parse(String(first)) as { url: string }).url, child);
	}

	async client(era: Era): Promise<Client> {
		const client = newClient(era);
		await client.connect(new StreamableHTTPClientTransport(new URL(this.url)));
		return client;
	}

	/** SIGTERM; returns the exit code. */
	async stop(): Promise<number | null> {
		if (this.child.exitCode !== null) return this.child.exitCode;
		const closed = once(this.child, "close");
		this.child.kill("SIGTERM");
		return (await closed)[0] as number | null;
	}
}
