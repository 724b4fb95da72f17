import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "@temporalio/client";
import { LodeError } from "../../src/domain/errors.js";
import { connectionOptions, type TemporalAccess } from "./connection.js";
import { GRPC, grpcCode } from "./grpc-codes.js";
import { ensureNamespace } from "./namespace.js";
import { ensureSearchAttributes, missingSearchAttributes } from "./search-attributes.js";

const POLL_MS = 100;
/** A server that nobody configured otherwise notices a new namespace within ten seconds. */
const NEW_NAMESPACE_MS = 30_000;

export interface ReadyOptions {
	readonly access: TemporalAccess;
	readonly timeoutMs: number;
	readonly signal?: AbortSignal;
	report(line: string): void;
}

/** gRPC backs off for a second after a refused connection: asking the port itself first notices at once when a server is up. */
function listens(address: string): Promise<boolean> {
	const at = address.lastIndexOf(":");
	const host = address.slice(0, at).replace(/^\[|\]$/g, "");
	return new Promise((resolve) => {
		const socket = createConnection({ host, port: Number(address.slice(at + 1)), timeout: 2_000 });
		const end = (answer: boolean) => {
			socket.destroy();
			resolve(answer);
		};
		socket.once("connect", () => end(true));
		socket.once("timeout", () => end(false));
		socket.once("error", () => end(false));
	});
}

/**
 * One try. Undefined when nothing answers at the address.
 * @throws PERMISSION_DENIED, CONFIG_INVALID: what no waiting mends
 */
async function connect(access: TemporalAccess): Promise<Connection | undefined> {
	const options = connectionOptions(access);
	if (!(await listens(access.address))) return undefined;
	const { Connection } = await import("@temporalio/client");
	try {
		return await Connection.connect({ ...options, connectTimeout: "5s" });
	} catch (error) {
		const refused = refusal(error, access);
		if (refused !== undefined) throw refused;
		return undefined;
	}
}

/** What the server says of who asks; undefined where it says nothing of that. */
function refusal(error: unknown, { address, namespace }: TemporalAccess): LodeError | undefined {
	const code = grpcCode(error);
	if (code === GRPC.UNAUTHENTICATED) {
		return new LodeError("PERMISSION_DENIED", `the Temporal server at ${address} does not accept Lode's credentials`, {
			next: "Correct TEMPORAL_API_KEY, or TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH.",
			cause: error,
		});
	}
	if (code === GRPC.PERMISSION_DENIED) {
		return new LodeError(
			"PERMISSION_DENIED",
			`the Temporal server at ${address} does not let Lode use namespace ${namespace}`,
			{ next: "Correct TEMPORAL_NAMESPACE, or give the owner of TEMPORAL_API_KEY access to it.", cause: error },
		);
	}
	return undefined;
}

/** Whether a Temporal server answers now. @throws PERMISSION_DENIED, CONFIG_INVALID */
export async function temporalAnswers(access: TemporalAccess): Promise<boolean> {
	const connection = await connect(access);
	await connection?.close();
	return connection !== undefined;
}

/** Updates that start their workflow are on by default from this version on. */
const OLDEST = [1, 28] as const;

/** @throws CONFIG_INVALID when the server lacks what Lode's workflows use */
export function requireVersion(version: string | null | undefined, address: string): void {
	const [, major = "", minor = ""] = /^v?(\d+)\.(\d+)\./.exec(version ?? "") ?? [];
	// A build of one's own may call itself anything: it is tried.
	if (major === "" || Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1])) return;
	throw new LodeError(
		"CONFIG_INVALID",
		`the Temporal server at ${address} is ${version}; Lode needs ${OLDEST.join(".")}`,
		{
			next: "Upgrade that server, or set TEMPORAL_ADDRESS to another one.",
		},
	);
}

/**
 * Waits until the server answers and its namespace can be used; registers the namespace and the search attributes where they are missing.
 * @throws TEMPORAL_UNAVAILABLE after `timeoutMs`; PERMISSION_DENIED, CONFIG_INVALID at once; the signal's reason
 */
export async function temporalReady(options: ReadyOptions): Promise<void> {
	const { access, timeoutMs, signal, report } = options;
	const { address, namespace } = access;
	let deadline = performance.now() + timeoutMs;
	let reason: unknown;
	for (let first = true; first || performance.now() < deadline; first = false) {
		signal?.throwIfAborted();
		const connection = await connect(access);
		if (connection !== undefined) {
			try {
				const { serverVersion } = await connection.workflowService.getSystemInfo({});
				requireVersion(serverVersion, address);
				if ((await ensureNamespace(connection, namespace, report)) === "registered") {
					deadline = Math.max(deadline, performance.now() + NEW_NAMESPACE_MS);
				}
				await ensureSearchAttributes(connection, namespace, report);
				return;
			} catch (error) {
				const permanent = refusal(error, access) ?? error;
				if (permanent instanceof LodeError && permanent.permanent) throw permanent;
				reason = error;
			} finally {
				await connection.close();
			}
		}
		await sleep(POLL_MS, undefined, { signal });
	}
	const what = reason === undefined ? "does not answer" : `has no usable namespace ${namespace}`;
	throw new LodeError("TEMPORAL_UNAVAILABLE", `the Temporal server at ${address} ${what}`, {
		next: "Check TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and TEMPORAL_TLS, or unset them to let Lode start its own server.",
		cause: reason,
	});
}

export interface TemporalProbe {
	readonly serverVersion: string;
	readonly namespace: "there" | "missing";
	/** Those that are missing; undefined where the server does not let Lode look. */
	readonly missingAttributes?: readonly string[];
}

/** What is there, with nothing changed; undefined when nothing answers. @throws PERMISSION_DENIED, CONFIG_INVALID */
export async function probeTemporal(access: TemporalAccess): Promise<TemporalProbe | undefined> {
	const connection = await connect(access);
	if (connection === undefined) return undefined;
	const { namespace } = access;
	try {
		const { serverVersion } = await connection.workflowService.getSystemInfo({});
		requireVersion(serverVersion, access.address);
		const found = { serverVersion: serverVersion ?? "unknown" };
		try {
			await connection.workflowService.describeNamespace({ namespace });
		} catch (error) {
			if (grpcCode(error) === GRPC.NOT_FOUND) return { ...found, namespace: "missing" };
			throw error;
		}
		const missingAttributes = await missingSearchAttributes(connection, namespace).catch(() => undefined);
		return { ...found, namespace: "there", missingAttributes };
	} catch (error) {
		throw refusal(error, access) ?? error;
	} finally {
		await connection.close();
	}
}
