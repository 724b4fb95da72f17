import type { Binaries } from "./binaries.js";

export const SERVER_NAMES = ["temporal", "postgres", "dgraph", "weaviate", "minio", "lakefs"] as const;
export type ServerName = (typeof SERVER_NAMES)[number];

/** How to reach each of them, with throw-away credentials. */
export interface ServerAddresses {
	readonly temporal: { readonly address: string; readonly uiAddress: string };
	/** Of a superuser. The database may be used freely. */
	readonly postgres: { readonly url: string };
	/** gRPC as host:port, and HTTP. */
	readonly dgraph: { readonly address: string; readonly httpAddress: string; readonly token?: string };
	/** `apiKey` (and Dgraph's `token`) only where the server was asked to have one. */
	readonly weaviate: { readonly url: string; readonly grpcAddress: string; readonly apiKey?: string };
	readonly minio: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string };
	readonly lakefs: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface StartOptions {
	/** Weaviate: acknowledges vectors before they can be found. */
	readonly asyncIndexing?: boolean;
	/** Weaviate refuses requests without a key, Dgraph changes of the schema without a token. */
	readonly apiKey?: boolean;
}

/** One program to run. */
export interface ProcessSpec {
	readonly name: string;
	readonly command: string;
	readonly args: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	/** Another user to run as. */
	readonly user?: { readonly uid: number; readonly gid: number };
}

/** A server on chosen ports, with its data in a folder: started again, it goes on with both. */
export interface Prepared<A> {
	readonly addresses: A;
	readonly processes: readonly ProcessSpec[];
	/** Resolves to true when it serves. Called until then. */
	ready(): Promise<boolean>;
}

export interface ServerDefinition<N extends ServerName> {
	readonly name: N;
	/** What people call it. */
	readonly title: string;
	/** The programs that it needs, by name. */
	readonly programs: readonly string[];
	/** How to get it where `servers:install` cannot. */
	readonly howTo: string;
	/** Chooses ports and credentials and creates what must be there before the first start. */
	prepare(binaries: Binaries, folder: string, options: StartOptions): Promise<Prepared<ServerAddresses[N]>>;
}
