import getPort from "get-port";
import { serverPorts } from "../../src/domain/server-ports.js";

const host = "127.0.0.1";

/** Ports that nobody listens on now, all different. Somebody may take one before it is used: the start is then tried again. */
export async function freePorts(count: number): Promise<number[]> {
	const ports: number[] = [];
	while (ports.length < count) ports.push(await getPort({ host, port: serverPorts() }));
	return ports;
}

/** A number that, added to each of these, gives free ports: for programs whose ports can only be moved together. */
export async function freeOffset(ports: readonly number[]): Promise<number> {
	const highest = Math.max(...ports);
	for (const candidate of serverPorts()) {
		const offset = candidate - highest;
		if (offset < 0) continue;
		const found = await Promise.all(ports.map((port) => getPort({ host, port: port + offset })));
		if (found.every((port, at) => port === (ports[at] as number) + offset)) return offset;
	}
	throw new Error("there are no free ports on 127.0.0.1");
}
