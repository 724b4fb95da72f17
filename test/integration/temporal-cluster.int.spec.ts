import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, type Server } from "node:tls";
import { Connection } from "@temporalio/client";
import type { TestWorkflowEnvironment } from "@temporalio/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Secret } from "../../src/config/secret.js";
import { connectionOptions, type TemporalAccess } from "../../temporal/server/connection.js";
import { probeTemporal, requireVersion, temporalReady } from "../../temporal/server/ready.js";
import { failure } from "../support/failure.js";
import { temporalEnvironment } from "../support/temporal-environment.js";

/**
 * Real: a Temporal server, TLS in front of it. Stands in: the server that refuses credentials, because the development server
 * has no authentication; it answers with the status that Temporal answers with.
 */
describe("a Temporal cluster", () => {
	let environment: TestWorkflowEnvironment;
	let folder: string;
	const closing: (() => void)[] = [];
	const report = () => {};
	beforeAll(async () => {
		environment = await temporalEnvironment();
		folder = mkdtempSync(join(tmpdir(), "lode-tls-"));
		for (const name of ["server", "client"]) {
			execFileSync(
				"openssl",
				[
					...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", `/CN=${name}.lode.test`],
					...["-addext", `subjectAltName=DNS:${name}.lode.test`],
					...["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.pem`)],
				],
				{ stdio: "ignore" },
			);
		}
	});
	afterAll(async () => {
		for (const close of closing) close();
		await environment?.teardown();
		rmSync(folder, { recursive: true, force: true });
	});

	const pem = (name: string) => readFileSync(join(folder, name));
	async function listening(server: Server | Http2SecureServer): Promise<string> {
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		closing.push(() => server.close());
		return `127.0.0.1:${(server.address() as AddressInfo).port}`;
	}
	/** Ends TLS, asks for the client's certificate, and passes everything on. */
	const tlsFront = () =>
		listening(
			createTlsServer(
				{
					cert: pem("server.pem"),
					key: pem("server.key"),
					ca: pem("client.pem"),
					requestCert: true,
					rejectUnauthorized: true,
					ALPNProtocols: ["h2"],
				},
				(socket) => {
					const [host, port] = environment.address.split(":");
					const upstream = connectTcp(Number(port), host);
					socket.on("error", () => upstream.destroy());
					upstream.on("error", () => socket.destroy());
					socket.pipe(upstream).pipe(socket);
				},
			),
		);
	const refused = (access: TemporalAccess, timeoutMs = 1_000) => failure(temporalReady({ access, timeoutMs, report }));

	it("gets the namespace and the search attributes that it lacks, once", async () => {
		const access = { address: environment.address, namespace: "a-new-team" };
		expect(await probeTemporal(access)).toMatchObject({ namespace: "missing" });
		const said: string[] = [];
		await Promise.all(
			[1, 2].map(() => temporalReady({ access, timeoutMs: 10_000, report: (line) => said.push(line) })),
		);
		expect(said.join()).toContain("Registered the Temporal namespace a-new-team");
		expect(await probeTemporal(access)).toMatchObject({ namespace: "there", missingAttributes: [] });
		await temporalReady({ access, timeoutMs: 10_000, report: (line) => expect(line).toBe("") });
	});

	it("is reached through TLS with a certificate on both sides", async () => {
		const access: TemporalAccess = {
			address: await tlsFront(),
			namespace: "default",
			tlsServerName: "server.lode.test",
			tlsCaFile: join(folder, "server.pem"),
			tlsCertFile: join(folder, "client.pem"),
			tlsKeyFile: join(folder, "client.key"),
		};
		await temporalReady({ access, timeoutMs: 10_000, report });
		const connection = await Connection.connect(connectionOptions(access));
		await connection.close();
		const { tlsCertFile, tlsKeyFile, ...withoutCertificate } = access;
		expect(tlsCertFile && tlsKeyFile).toBeTruthy();
		expect(await refused(withoutCertificate)).toMatchObject({
			code: "TEMPORAL_UNAVAILABLE",
			next: expect.stringContaining("TEMPORAL_TLS"),
		});
		expect(await refused({ ...access, tlsCaFile: join(folder, "absent.pem") })).toMatchObject({
			code: "CONFIG_INVALID",
			next: "Correct TEMPORAL_TLS_SERVER_CA_CERT_PATH.",
		});
	});

	it.each([
		[16, "TEMPORAL_API_KEY"],
		[7, "TEMPORAL_NAMESPACE"],
	])(
		"says which setting to correct when the server answers with status %d, without the key",
		async (status, setting) => {
			const server = createSecureServer({ cert: pem("server.pem"), key: pem("server.key") });
			const keys: unknown[] = [];
			server.on("stream", (stream, headers) => {
				keys.push(headers.authorization);
				stream.respond(
					{ ":status": 200, "content-type": "application/grpc", "grpc-status": status },
					{ endStream: true },
				);
			});
			const answer = await refused({
				address: await listening(server),
				namespace: "default",
				tlsServerName: "server.lode.test",
				tlsCaFile: join(folder, "server.pem"),
				apiKey: new Secret("a-wrong-key"),
			});
			expect(answer).toMatchObject({ code: "PERMISSION_DENIED", next: expect.stringContaining(setting) });
			expect(JSON.stringify(answer)).not.toContain("a-wrong-key");
			expect(keys).toContain("Bearer a-wrong-key");
		},
	);

	it("names the address where nothing answers", async () => {
		expect(await refused({ address: "127.0.0.1:1", namespace: "default" }, 200)).toMatchObject({
			code: "TEMPORAL_UNAVAILABLE",
			message: "the Temporal server at 127.0.0.1:1 does not answer",
			next: expect.stringContaining("TEMPORAL_ADDRESS"),
		});
	});

	it("has to be of a version that knows what workflows use", () => {
		for (const version of ["1.28.0", "v1.29.1", "2.0.0", "", undefined]) requireVersion(version, "x:1");
		for (const version of ["1.27.9", "v0.9.0"]) {
			expect(() => requireVersion(version, "x:1")).toThrow(/Lode needs 1\.28/);
		}
	});
});
