import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createApi } from "../../src/api/create-api.js";
import { type Config, loadConfig } from "../../src/config/config.js";
import { redact } from "../../src/config/secret.js";
import { parseGrants } from "../../src/domain/roles.js";
import type { OpenedServices } from "../../src/services/lode.js";
import type { NewApiKey } from "../../src/services/security/api-key.js";
import { LOCAL } from "../../src/services/security/principal.js";
import { openApiServices, openStores, probeProvider } from "../../src/wiring.js";
import { ApiInstance } from "../support/api-instance.js";

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
type Answer = any;

/** Real: the API over stores of the embedded profile that hold nothing yet, keys, and an issuer of tokens that signs with keys of its own. */
let home: string;
let config: Config;
let opened: OpenedServices;
const open: ApiInstance[] = [];
beforeEach(async () => {
	home = await mkdtemp(join(tmpdir(), "lode-home-"));
	configure();
	opened = await openApiServices(config);
});
afterEach(async () => {
	for (const api of open.splice(0)) await api.close();
	await opened.close();
	await rm(home, { recursive: true, force: true, maxRetries: 3 });
});

function configure(env: Record<string, string> = {}): void {
	({ config } = loadConfig({ env: { LODE_HOME: home, ...env }, cwd: home }));
}
async function start(api: Parameters<typeof ApiInstance.open>[1] = {}): Promise<ApiInstance> {
	const { authentication, requestsPerMinute, corsOrigins } = config.api;
	const settings = { authentication, requestsPerMinute, corsOrigins, ...api.api };
	const started = await ApiInstance.open({ config, address: "127.0.0.1:1" }, { ...api, api: settings });
	open.push(started);
	return started;
}
const newKey = async (asked: Partial<NewApiKey> & { roles?: string[] } = {}) => {
	const { roles = ["admin"], ...rest } = asked;
	const { key, secret } = await opened
		.as(LOCAL)
		.keys.create({ name: "of a test", grants: parseGrants(roles), ...rest });
	return { key, secret: secret as string };
};
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
async function get(api: ApiInstance, headers: Record<string, string> = {}, path = "/api/v1/sources") {
	const response = await fetch(`${api.url}${path}`, { headers });
	const text = await response.text();
	return { status: response.status, headers: response.headers, text, code: /"code":"(\w+)"/.exec(text)?.[1] };
}
const statusOf = async (...asked: Parameters<typeof get>) => (await get(...asked)).status;

describe("API keys", () => {
	test("nobody is asked until there is one; then everybody is, also when it is revoked", async () => {
		const api = await start();
		expect(await statusOf(api)).toBe(200);
		const { key, secret } = await newKey();
		// Another process made it: known within a second.
		await expect.poll(() => statusOf(api), { timeout: 5_000 }).toBe(401);
		const { status, headers, text } = await get(api);
		expect([status, headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="lode"']);
		expect(JSON.parse(text)).toMatchObject({ code: "UNAUTHENTICATED", type: "urn:lode:error:UNAUTHENTICATED" });
		expect(await statusOf(api, bearer(secret))).toBe(200);
		expect(await statusOf(api, { "x-api-key": secret })).toBe(200);
		await opened.as(LOCAL).keys.revoke(key.id);
		await expect.poll(() => statusOf(api, bearer(secret)), { timeout: 5_000 }).toBe(401);
		expect(await statusOf(api)).toBe(401);
		// What tells nothing is for everybody.
		expect(await statusOf(api, {}, "/health/ready")).toBe(200);
		expect(await statusOf(api, {}, "/api/v1/openapi.json")).toBe(200);
		expect(await statusOf(api, {}, "/api/v1/nowhere")).toBe(401);
	});

	test("what is not one to the last character is none, and all refusals are alike", async () => {
		const api = await start();
		const { secret } = await newKey();
		const expired = await newKey({ expiresAt: new Date(Date.now() + 500).toISOString() });
		const last = secret.endsWith("A") ? "B" : "A";
		const wrong = [
			`${secret.slice(0, -1)}${last}`,
			secret.replace(/_[0-9a-f]{12}_/, "_0123456789ab_"),
			`${secret}x`,
			secret.slice(0, -1),
			secret.toUpperCase(),
			"lode_",
			"x",
		];
		const refusals = await Promise.all(wrong.map(async (one) => (await get(api, bearer(one))).text));
		expect(new Set(refusals).size).toBe(1);
		await expect.poll(() => statusOf(api, bearer(expired.secret)), { timeout: 5_000 }).toBe(401);
		expect((await get(api, bearer(expired.secret))).text).toBe(refusals[0]);
		for (const authorization of ["", "Bearer", "Bearer ", `Basic ${secret}`, secret]) {
			expect([authorization, await statusOf(api, { authorization })]).toEqual([authorization, 401]);
		}
	});

	test("are shown once, kept as a hash, listed without it, and told of without it", async () => {
		const api = await start();
		const first = await newKey();
		const made = await fetch(`${api.url}/api/v1/keys`, {
			method: "POST",
			headers: { ...bearer(first.secret), "content-type": "application/json" },
			body: JSON.stringify({ name: "made over REST", roles: ["viewer:shop-1"], requestsPerDay: 7 }),
		});
		expect([made.status, made.headers.get("cache-control")]).toEqual([201, "no-store"]);
		const { key, secret } = (await made.json()) as Answer;
		expect(key).toMatchObject({ roles: ["viewer:shop-1"], requestsPerDay: 7, createdBy: `key:${first.key.id}` });
		expect(await statusOf(api, bearer(secret))).toBe(200);

		const repeat = (name: string) =>
			fetch(`${api.url}/api/v1/keys`, {
				method: "POST",
				headers: { ...bearer(first.secret), "content-type": "application/json", "idempotency-key": "a-key" },
				body: JSON.stringify({ name, roles: ["viewer"] }),
			});
		const [made1, made2, reused] = [await repeat("once"), await repeat("once"), await repeat("twice")];
		const [once, twice] = [(await made1.json()) as Answer, (await made2.json()) as Answer];
		expect([made1, made2].map(({ headers }) => headers.get("idempotency-replayed"))).toEqual([null, "true"]);
		expect(twice).toEqual({ ...once, secret: null });
		expect([reused.status, ((await reused.json()) as Answer).code]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
		const audits = await get(api, bearer(first.secret), "/api/v1/events?type=AuditRecorded&first=100");
		const told = JSON.parse(audits.text).events.filter(({ data }: Answer) => data.about === `key:${once.key.id}`);
		expect(told.map(({ data }: Answer) => data.outcome)).toEqual(["done"]);
		const listed = await get(api, bearer(first.secret), `/api/v1/keys?minVisibility=${once.visibility_token}`);
		expect(JSON.parse(listed.text).keys.map(({ id }: Answer) => id)).toContain(once.key.id);
		const later = await get(api, bearer(first.secret), "/api/v1/keys?minVisibility=event:999999&visibilityTimeout=0");
		expect([later.status, JSON.parse(later.text).code]).toEqual([408, "TIMEOUT"]);
		const gone = await fetch(`${api.url}/api/v1/keys/${once.key.id}`, {
			method: "DELETE",
			headers: bearer(first.secret),
		});
		expect(await gone.json()).toMatchObject({
			id: once.key.id,
			visibility_token: expect.stringMatching(/^event:\d+$/),
		});

		await expect
			.poll(async () => JSON.parse((await get(api, bearer(first.secret), "/api/v1/keys")).text).keys, {
				timeout: 5_000,
			})
			.toMatchObject([
				{ id: first.key.id },
				{ id: key.id, lastUsedOn: new Date().toISOString().slice(0, 10) },
				{ id: once.key.id },
			]);

		const stores = await openStores(config);
		const events = JSON.stringify(await stores.value.events.readAll(0, 1_000));
		await stores.close();
		const said = [
			events,
			JSON.stringify(api.log),
			(await get(api, bearer(first.secret), "/api/v1/events")).text,
		].join();
		for (const one of [first.secret, secret, once.secret]) {
			expect(said).not.toContain(one);
			expect(said).not.toContain(one.slice(-43));
			expect(redact(`a driver says: ${one}`)).not.toContain(one.slice(-43));
		}
		expect(said).toContain(key.id);
	});

	test("who changed what, or was not allowed to, is an event", async () => {
		const api = await start();
		const [admin, viewer] = [await newKey(), await newKey({ roles: ["viewer"] })];
		const send = (method: string, path: string, secret: string) =>
			fetch(`${api.url}/api/v1${path}`, { method, headers: bearer(secret) });
		await send("POST", "/garbage-collections", viewer.secret);
		await send("DELETE", "/sources/nowhere-0123456789ab", admin.secret);
		await send("DELETE", `/keys/${viewer.key.id}`, admin.secret);
		const { text } = await get(api, bearer(admin.secret), "/api/v1/events?type=AuditRecorded&first=100");
		const told = JSON.parse(text).events.map(({ data }: Answer) => [
			data.principal,
			data.operation,
			data.outcome,
			data.code,
		]);
		expect(told).toEqual([
			["local", "create-key", "done", null],
			["local", "create-key", "done", null],
			[`key:${viewer.key.id}`, "collect-garbage", "denied", "FORBIDDEN"],
			[`key:${admin.key.id}`, "delete-source", "refused", "SOURCE_NOT_FOUND"],
			[`key:${admin.key.id}`, "revoke-key", "done", null],
		]);
	});
});

describe("bounds", () => {
	test("of a key's requests a minute, of strangers' of one address, and neither holds up another key", async () => {
		const api = await start({ api: { requestsPerMinute: 5 } });
		const [one, another] = [await newKey(), await newKey()];
		const statuses = async (headers: Record<string, string>) => {
			const found: number[] = [];
			for (let at = 0; at < 6; at++) found.push(await statusOf(api, headers));
			return found;
		};
		expect(await statuses(bearer(one.secret))).toEqual([200, 200, 200, 200, 200, 429]);
		const { headers, code } = await get(api, bearer(one.secret));
		expect([code, Number(headers.get("retry-after")) > 0]).toEqual(["RATE_LIMITED", true]);
		expect(await statuses(bearer("lode_wrong"))).toEqual([401, 401, 401, 401, 401, 429]);
		expect(await statusOf(api, bearer(another.secret))).toBe(200);
	});

	test("of a key's requests a day, which hold over a restart and for two processes together", async () => {
		const { secret } = await newKey({ requestsPerDay: 4 });
		const [first, second] = [await start(), await start()];
		expect([await statusOf(first, bearer(secret)), await statusOf(first, bearer(secret))]).toEqual([200, 200]);
		await first.close();
		expect([await statusOf(second, bearer(secret)), await statusOf(second, bearer(secret))]).toEqual([200, 200]);
		const { status, headers } = await get(second, bearer(secret));
		expect(status).toBe(429);
		expect(Number(headers.get("retry-after"))).toBeLessThanOrEqual(86_400);
		await second.close();
		expect(await statusOf(await start(), bearer(secret))).toBe(429);
	});

	test("of bodies, and of what browsers may do with an answer", async () => {
		const api = await start();
		const { secret } = await newKey();
		const post = (body: string) =>
			fetch(`${api.url}/graphql`, {
				method: "POST",
				headers: { ...bearer(secret), "content-type": "application/json" },
				body,
			});
		expect((await post(JSON.stringify({ query: `{ __typename } # ${"x".repeat(70_000)}` }))).status).toBe(413);
		for (const { headers } of [await get(api), await get(api, bearer(secret))]) {
			expect(headers.get("x-content-type-options")).toBe("nosniff");
			expect(headers.get("x-frame-options")).toBe("SAMEORIGIN");
			expect(headers.get("content-security-policy")).toContain("default-src 'self'");
			expect(headers.get("access-control-allow-origin")).toBeNull();
		}
		expect((await get(api, bearer(secret))).headers.get("cache-control")).toBe("private, no-cache");
	});

	test("of places: pages of no other origin, unless they are named; and no other name of this machine", async () => {
		const { secret } = await newKey();
		const [closed, opened_] = [await start(), await start({ api: { corsOrigins: ["https://app.example"] } })];
		const preflight = (api: ApiInstance, origin: string) =>
			fetch(`${api.url}/api/v1/ingestions`, {
				method: "OPTIONS",
				headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
			});
		expect((await preflight(closed, "https://app.example")).headers.get("access-control-allow-origin")).toBeNull();
		const allowed = await preflight(opened_, "https://app.example");
		expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([204, "https://app.example"]);
		expect((await preflight(opened_, "https://evil.example")).headers.get("access-control-allow-origin")).toBeNull();
		const post = (api: ApiInstance, origin: string) =>
			fetch(`${api.url}/api/v1/garbage-collections`, { method: "POST", headers: { ...bearer(secret), origin } });
		expect((await post(closed, "https://app.example")).status).toBe(403);
		expect((await post(opened_, "https://evil.example")).status).toBe(403);
		expect((await post(opened_, "https://app.example")).status).toBe(503);

		const named = (host: string) =>
			new Promise<number | undefined>((resolve, reject) => {
				const { port } = new URL(closed.url);
				const headers = { ...bearer(secret), host, "x-forwarded-host": "127.0.0.1", "x-forwarded-for": "127.0.0.1" };
				httpRequest({ port, host: "127.0.0.1", path: "/api/v1/sources", headers }, ({ statusCode }) =>
					resolve(statusCode),
				)
					.on("error", reject)
					.end();
			});
		expect([await named("rebound.example"), await named(`127.0.0.1:${new URL(closed.url).port}`)]).toEqual([421, 200]);
	});
});

describe("beyond this machine", () => {
	/** Resolves to 127.0.0.1, and is written as no loopback address is: nothing listens beyond this machine here. */
	const BEYOND = "127.1";
	const listen = (options: Partial<Parameters<typeof createApi>[0]> = {}) =>
		createApi({
			host: BEYOND,
			port: 0,
			allowAnonymous: false,
			open: () => openApiServices(config),
			log: () => undefined,
			...options,
		});

	test("it does not listen where nobody could say who they are", async () => {
		await expect(listen()).rejects.toMatchObject({
			code: "CONFIG_INVALID",
			next: expect.stringContaining("lode key create"),
		});
		await newKey();
		await expect(listen({ authentication: "off" })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
	});

	test("everybody says who they are, also where the stores could not be asked for keys when it began, and there are none", async () => {
		let away = true;
		const server = await listen({
			open: async () => {
				if (away) throw new Error("away");
				return openApiServices(config);
			},
		});
		try {
			const url = `http://127.0.0.1:${new URL(server.url).port}/api/v1/sources`;
			expect((await fetch(url)).status).toBe(503);
			away = false;
			await expect.poll(async () => (await fetch(url)).status, { timeout: 10_000 }).toBe(401);
			const { secret } = await newKey();
			expect((await fetch(url, { headers: bearer(secret) })).status).toBe(200);
			expect((await fetch(url)).status).toBe(401);
		} finally {
			await server.close();
		}
	});
});

describe("tokens", () => {
	let issuer: string;
	let keys: Awaited<ReturnType<typeof generateKeyPair>>;
	let others: Awaited<ReturnType<typeof generateKeyPair>>;
	let isAway = false;
	const server = createServer(async (request, response) => {
		if (isAway) return void response.writeHead(503).end();
		const jwk = { ...(await exportJWK(keys.publicKey)), kid: "one", alg: "ES256", use: "sig" };
		const answers: Record<string, unknown> = {
			"/.well-known/openid-configuration": { issuer, jwks_uri: `${issuer}/keys` },
			"/keys": { keys: [jwk] },
		};
		return void response.setHeader("content-type", "application/json").end(JSON.stringify(answers[request.url ?? ""]));
	});
	beforeAll(async () => {
		[keys, others] = await Promise.all([generateKeyPair("ES256"), generateKeyPair("ES256")]);
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	});
	beforeEach(() =>
		configure({ LODE_OIDC_ISSUER: issuer, LODE_OIDC_AUDIENCE: "lode", LODE_OIDC_ROLES_CLAIM: "app.roles" }),
	);
	afterAll(() => new Promise((resolve) => server.close(resolve)));

	interface Written {
		readonly claims?: JWTPayload;
		readonly audience?: string;
		readonly by?: string;
		readonly expires?: string | null;
		readonly key?: Parameters<SignJWT["sign"]>[0];
		readonly header?: Parameters<SignJWT["setProtectedHeader"]>[0];
	}
	function token({
		claims,
		audience = "lode",
		by = issuer,
		expires = "5m",
		key = keys.privateKey,
		header,
	}: Written = {}) {
		const written = new SignJWT({ app: { roles: ["admin"] }, sub: "ada@example.org", ...claims })
			.setProtectedHeader(header ?? { alg: "ES256", kid: "one" })
			.setIssuer(by)
			.setAudience(audience)
			.setIssuedAt();
		if (expires !== null) written.setExpirationTime(expires);
		return written.sign(key);
	}

	test("of the issuer say who somebody is and what they may", async () => {
		const api = await start();
		expect(await statusOf(api)).toBe(401);
		expect(await statusOf(api, bearer(await token()))).toBe(200);
		const as = async (roles: unknown) => {
			const headers = bearer(await token({ claims: { app: { roles } } }));
			return [await statusOf(api, headers), await statusOf(api, headers, "/api/v1/keys")];
		};
		expect(await as(["viewer"])).toEqual([200, 403]);
		expect(await as("viewer:shop-1 offline_access editor:other-2")).toEqual([200, 403]);
		expect(await as(["owner", 7, null])).toEqual([403, 403]);
		expect(await as(undefined)).toEqual([403, 403]);
		// A name of its own in events, and what it did is told.
		await fetch(`${api.url}/api/v1/garbage-collections`, { method: "POST", headers: bearer(await token()) });
		const { text } = await get(api, bearer(await token()), "/api/v1/events?type=AuditRecorded");
		expect(JSON.parse(text).events.at(-1).data).toMatchObject({
			principal: "token:ada@example.org",
			operation: "collect-garbage",
		});
	});

	test("that are not the issuer's, not for us or not valid now are refused", async () => {
		const api = await start();
		const now = Math.floor(Date.now() / 1_000);
		const publicKey = new TextEncoder().encode(await exportSPKI(keys.publicKey));
		const good = await token();
		const [head, body, signature] = good.split(".") as [string, string, string];
		const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
		const wrong = {
			"of another key": await token({ key: others.privateKey }),
			"of a key that is not published": await token({ key: others.privateKey, header: { alg: "ES256", kid: "two" } }),
			"for another audience": await token({ audience: "other" }),
			"by another issuer": await token({ by: "https://evil.example" }),
			expired: await token({ claims: { exp: now - 60 }, expires: null }),
			"without an end": await token({ expires: null }),
			"not valid yet": await token({ claims: { nbf: now + 600 } }),
			"without a subject": await token({ claims: { sub: undefined } }),
			"signed with the public key as a secret": await token({ key: publicKey, header: { alg: "HS256", kid: "one" } }),
			unsigned: `${part({ alg: "none" })}.${body}.`,
			"with another body": `${head}.${part({ ...JSON.parse(Buffer.from(body, "base64url").toString()), sub: "root" })}.${signature}`,
		};
		for (const [name, one] of Object.entries(wrong)) {
			expect([name, await statusOf(api, bearer(one))]).toEqual([name, 401]);
		}
		expect(await statusOf(api, bearer(good))).toBe(200);
	});

	test("cannot be checked while the issuer is away; keys can", async () => {
		const { secret } = await newKey();
		isAway = true;
		const api = await start();
		const { status, code } = await get(api, bearer(await token()));
		isAway = false;
		expect([status, code]).toEqual([503, "STORE_UNAVAILABLE"]);
		expect(await statusOf(api, bearer(secret))).toBe(200);
	});
});

describe("sources that are named from outside", () => {
	const refused = [
		["http://127.0.0.1:1/x.git", "FORBIDDEN"],
		["http://localhost/x.git", "FORBIDDEN"],
		["http://2130706433/x.git", "FORBIDDEN"],
		["http://0x7f.1/x.git", "FORBIDDEN"],
		["http://[::1]/x.git", "FORBIDDEN"],
		["http://[::ffff:10.0.0.1]/x.git", "FORBIDDEN"],
		["http://169.254.169.254/latest/meta-data", "FORBIDDEN"],
		["https://10.1.2.3/x.git", "FORBIDDEN"],
		["https://192.168.0.1/x.git", "FORBIDDEN"],
		["https://100.64.0.1/x.git", "FORBIDDEN"],
		["https://0.0.0.0/x.git", "FORBIDDEN"],
		["ssh://git@172.16.0.1/x.git", "FORBIDDEN"],
		["git@127.0.0.1:x.git", "FORBIDDEN"],
		["git://[fe80::1]/x.git", "FORBIDDEN"],
		["https://nowhere.invalid/x.git", "FORBIDDEN"],
		["/etc", "FORBIDDEN"],
		["file:///etc", "FORBIDDEN"],
		["../..", "FORBIDDEN"],
		["ext::sh -c id", "SOURCE_NOT_FOUND"],
		["--upload-pack=id", "SOURCE_NOT_FOUND"],
		["https://user:secret@example.org/x.git", "CREDENTIALS_IN_URL"],
	] as const;

	test("are neither on this machine nor in its network", async () => {
		const api = await start();
		const { secret } = await newKey();
		for (const path of ["/sources", "/ingestions"]) {
			for (const [target, code] of refused) {
				const response = await fetch(`${api.url}/api/v1${path}`, {
					method: "POST",
					headers: { ...bearer(secret), "content-type": "application/json" },
					body: JSON.stringify({ target }),
				});
				expect([target, ((await response.json()) as Answer).code]).toEqual([target, code]);
			}
		}
		const { text } = await get(api, bearer(secret), "/api/v1/events?first=500");
		expect(JSON.parse(text).events.filter(({ type }: Answer) => type === "CommandAccepted")).toEqual([]);
		expect(text).not.toContain("user:secret");
	});

	test("may lie where whoever runs it says", async () => {
		configure({ LODE_REMOTE_ALLOW: "127.0.0.0/8,10.0.0.1", LODE_API_LOCAL_PATHS: "true" });
		const api = await start();
		const { secret } = await newKey();
		const codeOf = async (target: string) => {
			const response = await fetch(`${api.url}/api/v1/sources`, {
				method: "POST",
				headers: { ...bearer(secret), "content-type": "application/json" },
				body: JSON.stringify({ target }),
			});
			return [response.status, ((await response.json()) as Answer).code];
		};
		// Nothing listens there.
		expect(await codeOf("http://127.0.0.1:1/x.git")).toEqual([422, "SOURCE_UNAVAILABLE"]);
		expect(await codeOf("http://192.168.0.1/x.git")).toEqual([403, "FORBIDDEN"]);
		expect((await codeOf(home))[0]).toBe(201);
	});
});

test("with the guard always, an embedding endpoint of this network is asked only where it is allowed", async () => {
	let asked = 0;
	const endpoint = createServer((_request, response) => {
		asked += 1;
		response.setHeader("content-type", "application/json");
		response.end(JSON.stringify({ data: [{ index: 0, embedding: [1, 0] }] }));
	});
	await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
	const { port } = endpoint.address() as AddressInfo;
	const probe = (env: Record<string, string>) => {
		configure({ LODE_EMBEDDING_BASE_URL: `http://127.0.0.1:${port}`, LODE_EMBEDDING_MODEL: "m", ...env });
		return probeProvider(config);
	};
	try {
		await expect(probe({ LODE_REMOTE_GUARD: "always" })).rejects.toMatchObject({
			code: "EMBEDDING_FAILED",
			next: expect.stringContaining("LODE_REMOTE_ALLOW"),
		});
		expect(asked).toBe(0);
		const allowed: Record<string, string>[] = [{}, { LODE_REMOTE_GUARD: "always", LODE_REMOTE_ALLOW: "127.0.0.0/8" }];
		for (const env of allowed) {
			expect(await probe(env)).toEqual({ provider: "openai", model: "openai/m-2" });
		}
		expect(asked).toBe(2);
	} finally {
		endpoint.closeAllConnections();
		await new Promise((resolve) => endpoint.close(resolve));
	}
});
