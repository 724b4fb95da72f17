import { temporalAnswers } from "../../../temporal/server/ready.js";
import { temporalServer } from "../../../temporal/server/server.js";
import { freePorts } from "../free-ports.js";
import type { ServerDefinition } from "../server.js";

export const temporal: ServerDefinition<"temporal"> = {
	name: "temporal",
	title: "Temporal",
	programs: ["temporal"],
	howTo: "npm run servers:install downloads it, or builds it where Go is installed",
	async prepare(binaries, folder) {
		const [grpc, ui] = (await freePorts(2)) as [number, number];
		const namespace = "default";
		const server = temporalServer({
			binary: binaries.temporal as string,
			home: folder,
			namespace,
			ports: { grpc, ui },
		});
		return {
			addresses: { address: server.address, uiAddress: server.uiAddress },
			processes: [{ name: "temporal", command: server.command, args: server.args, env: {} }],
			ready: () => temporalAnswers({ address: server.address, namespace }),
		};
	},
};
