import { readFileSync } from "node:fs";
import type { TLSConfig } from "@temporalio/client";
import { LodeError } from "../../src/domain/errors.js";

/** How a server is reached; the part `temporal` of the configuration has this shape. */
export interface TemporalAccess {
	readonly address: string;
	readonly namespace: string;
	readonly apiKey?: { reveal(): string };
	readonly tls?: boolean;
	readonly tlsServerName?: string;
	readonly tlsCaFile?: string;
	readonly tlsCertFile?: string;
	readonly tlsKeyFile?: string;
}

/** The access to an address: what is configured for TEMPORAL_ADDRESS does not go to a server that Lode started itself. */
export function accessTo(
	settings: Omit<TemporalAccess, "address"> & { readonly address?: string },
	address: string,
): TemporalAccess {
	return settings.address === address ? { ...settings, address } : { address, namespace: settings.namespace };
}

function pem(file: string, setting: string): Buffer {
	try {
		return readFileSync(file);
	} catch (error) {
		const reason = (error as NodeJS.ErrnoException).code ?? "unknown error";
		throw new LodeError("CONFIG_INVALID", `reading ${file} failed: ${reason}`, {
			next: `Correct ${setting}.`,
			cause: error,
		});
	}
}

/** What both kinds of connection of the SDK take. TLS is implied by an API key or a certificate. @throws CONFIG_INVALID */
export function connectionOptions(access: TemporalAccess): {
	address: string;
	tls?: TLSConfig | true;
	apiKey?: string;
	metadata?: Record<string, string>;
} {
	const { address, namespace, apiKey, tlsServerName, tlsCaFile, tlsCertFile, tlsKeyFile } = access;
	const config: TLSConfig = {
		...(tlsServerName !== undefined && { serverNameOverride: tlsServerName }),
		...(tlsCaFile !== undefined && { serverRootCACertificate: pem(tlsCaFile, "TEMPORAL_TLS_SERVER_CA_CERT_PATH") }),
		...(tlsCertFile !== undefined &&
			tlsKeyFile !== undefined && {
				clientCertPair: {
					crt: pem(tlsCertFile, "TEMPORAL_TLS_CLIENT_CERT_PATH"),
					key: pem(tlsKeyFile, "TEMPORAL_TLS_CLIENT_KEY_PATH"),
				},
			}),
	};
	const tls = Object.keys(config).length > 0 ? config : (access.tls ?? apiKey !== undefined) ? true : undefined;
	return {
		address,
		...(tls !== undefined && { tls }),
		// A server that serves many namespaces behind one address tells by this header whose key it is.
		...(apiKey !== undefined && { apiKey: apiKey.reveal(), metadata: { "temporal-namespace": namespace } }),
	};
}
