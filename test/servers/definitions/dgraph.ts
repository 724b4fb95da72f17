import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { freeOffset } from "../free-ports.js";
import type { ServerDefinition } from "../server.js";

/** Its ports can only be moved together, by an offset. */
const PORTS = { zero: 5_080, zeroHttp: 6_080, alpha: 7_080, http: 8_080, grpc: 9_080 } as const;

export const dgraph: ServerDefinition<"dgraph"> = {
	name: "dgraph",
	title: "Dgraph",
	programs: ["dgraph"],
	howTo:
		"put `dgraph` on PATH or into the folder that LODE_SERVER_BINARIES names (../shared/servers/unpack DIR writes it)",
	async prepare(binaries, folder, options) {
		const offset = await freeOffset(Object.values(PORTS));
		const at = (port: keyof typeof PORTS) => `127.0.0.1:${PORTS[port] + offset}`;
		const common = ["--bindall=false", "--port_offset", String(offset), "--telemetry", "reports=false;"];
		const zero = ["zero", `--my=${at("zero")}`, ...common, "--wal", join(folder, "zw")];
		const alpha = ["alpha", `--my=${at("alpha")}`, `--zero=${at("zero")}`, ...common];
		alpha.push("--postings", join(folder, "p"), "--wal", join(folder, "w"), "--tmp", join(folder, "t"));
		alpha.push("--cache", "size-mb=512;");
		const token = options.apiKey ? randomBytes(16).toString("hex") : undefined;
		if (token !== undefined) alpha.push("--security", `token=${token};`);
		const command = binaries.dgraph as string;
		const httpAddress = `http://${at("http")}`;
		return {
			addresses: { address: at("grpc"), httpAddress, ...(token !== undefined && { token }) },
			processes: [
				{ name: "zero", command, args: zero, env: {} },
				{ name: "alpha", command, args: alpha, env: {} },
			],
			async ready() {
				// Its health comes before it has a group and can answer.
				const response = await fetch(`${httpAddress}/query`, {
					method: "POST",
					headers: { "content-type": "application/dql" },
					body: "schema {}",
					signal: AbortSignal.timeout(2_000),
				});
				const { errors } = (await response.json()) as { errors?: unknown };
				return response.ok && errors === undefined;
			},
		};
	},
};
