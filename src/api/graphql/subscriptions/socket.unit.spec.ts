import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fastify } from "fastify";
import { buildSchema } from "graphql";
import { createClient } from "graphql-ws";
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { WebSocket } from "ws";
import { LodeError } from "../../../domain/errors.js";
import type { OpenedServices } from "../../../services/lode.js";
import { Authenticator } from "../../../services/security/authenticator.js";
import { KeyStore } from "../../../services/security/key-store.js";
import type { EventStore } from "../../../stores/events/events.port.js";
import { createSqliteEventStore } from "../../../stores/events/sqlite/sqlite-event-store.adapter.js";
import { Admission } from "../../security/admission.js";
import { createRate } from "../../security/rate.js";
import { type SubscriptionServer, serveSubscriptions } from "./socket.js";

const EXPIRES_MS = 60_000;

/** Real: the socket, its client, the keys in an event store, the rate. The test's: the clock of the keys, and the pauses between two looks. */
describe("a socket whose key is not valid any more", () => {
	let server: Server;
	let subscriptions: SubscriptionServer;
	let admission: Admission;
	let events: EventStore;
	let keys: KeyStore;
	let now: number;
	/** Of either end. */
	let closing: MockInstance<WebSocket["close"]>;
	beforeEach(async () => {
		vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
		now = Date.now();
		closing = vi.spyOn(WebSocket.prototype, "close");
		events = createSqliteEventStore({ path: ":memory:" });
		keys = new KeyStore(events, () => now);
		const authenticator = new Authenticator({ keys, authentication: "required" });
		const opened = { authenticator, as: (principal: unknown) => ({ principal }) } as unknown as OpenedServices;
		admission = new Admission({ opened: () => opened }, { isExposed: true }, await createRate(fastify(), 3));
		server = createServer().listen(0, "127.0.0.1");
		await once(server, "listening");
		const places = { isOwnOrigin: () => true, isOwnName: () => true } as never;
		const schema = buildSchema("type Query { nothing: Int }");
		subscriptions = serveSubscriptions({ server, schema, places, admission, log: { error: () => undefined } as never });
	});
	afterEach(async () => {
		vi.restoreAllMocks();
		vi.useRealTimers();
		await subscriptions.close();
		server.close();
		await events.close();
	});

	/** Resolves when it is let in; `closed` tells the code that it was closed with. */
	async function opened(): Promise<{ id: string; closed: Promise<number> }> {
		const expiresAt = new Date(now + EXPIRES_MS).toISOString();
		const { secret, key } = await keys.create({ name: "test", grants: { "*": "viewer" }, expiresAt }, "local");
		return new Promise((resolve, reject) => {
			const closed = new Promise<number>((close) => {
				const { port } = server.address() as AddressInfo;
				const client = createClient({
					url: `ws://127.0.0.1:${port}/graphql`,
					webSocketImpl: WebSocket,
					connectionParams: { authorization: `Bearer ${secret}` },
					lazy: false,
					retryAttempts: 0,
					onNonLazyError: () => undefined,
					on: {
						connected: () => resolve({ id: key.id, closed }),
						error: reject,
						closed: (event) => {
							close((event as CloseEvent).code);
							void client.dispose();
						},
					},
				});
			});
		});
	}

	const look = () => vi.advanceTimersByTimeAsync(10_000);
	/** Somebody with the same address, as all have behind a proxy, tries keys. */
	async function strangers(): Promise<void> {
		const wrong = { authorization: "Bearer wrong", address: "127.0.0.1" };
		for (let tries = 0; tries < 4; tries += 1) await admission.recognise(wrong).catch(() => undefined);
		await expect(admission.recognise(wrong)).rejects.toMatchObject({ code: "RATE_LIMITED" });
	}

	test.each([
		["is closed when the key is revoked", async (id: string) => void (await keys.revoke(id, "local"))],
		[
			"is closed when the key expires",
			async () => {
				now += EXPIRES_MS;
			},
		],
		[
			"is closed also while strangers at the same address have used up their rate",
			async (id: string) => {
				await strangers();
				await keys.revoke(id, "local");
			},
		],
	])("%s", async (_, end) => {
		const { id, closed } = await opened();
		await look();
		expect(closing).not.toHaveBeenCalled();
		await end(id);
		await look();
		expect(await closed).toBe(4_401);
	});

	test("stays open while nobody can tell, and is closed when somebody can", async () => {
		const { id, closed } = await opened();
		const away = vi.spyOn(keys, "find").mockRejectedValue(new LodeError("STORE_UNAVAILABLE", "away"));
		await keys.revoke(id, "local");
		await look();
		expect(away).toHaveBeenCalled();
		expect(closing).not.toHaveBeenCalled();
		away.mockRestore();
		await look();
		expect(await closed).toBe(4_401);
	});
});
