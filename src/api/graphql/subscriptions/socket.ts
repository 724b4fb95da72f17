import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type ExecutionArgs, GraphQLError, type GraphQLSchema } from "graphql";
import { useServer, type Extra as WsExtra } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { errorCode } from "../../../domain/errors.js";
import type { Log } from "../../http-server.js";
import { type Admission, type Showing, shownBy } from "../../security/admission.js";
import type { Places } from "../../security/places.js";
import { errorFormatter } from "../format-error.js";
import { type OperationRequest, prepareOperation } from "../operation.js";
import { permitFields } from "../permit-fields.js";
import { RequestRead } from "../request-read.js";

/** What one process serves at a time. A subscription asks the stores now and then: many of them are a load. */
const MOST_SOCKETS = 200;
const MOST_SUBSCRIPTIONS = 20;
/** Of a message, in bytes: as much as a request's body. */
const MOST_MESSAGE = 64 * 1024;
const PING_MS = 15_000;
const INIT_MS = 5_000;
const GOODBYE_MS = 2_000;

export interface SubscriptionServer {
	/** Ends every subscription, then closes its sockets. */
	close(): Promise<void>;
}

export interface SubscriptionOptions {
	readonly server: Server;
	readonly schema: GraphQLSchema;
	/** From where a socket may be opened. */
	readonly places: Places;
	/** Who may open one, and send operations. */
	readonly admission: Admission;
	readonly log: Log;
}

/** A key may be revoked and a token expire while a socket is open: it is looked at again this often. */
const RECOGNISE_MS = 10_000;
/** The protocol's words for a socket whose client may not have one. */
const UNAUTHORIZED = 4_401;

type Extra = WsExtra & { showing?: Showing; looking?: NodeJS.Timeout };

/** Operations over a WebSocket by the protocol of graphql-ws, on the path of GraphQL. */
export function serveSubscriptions({
	server,
	schema,
	places,
	admission,
	log,
}: SubscriptionOptions): SubscriptionServer {
	const sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_MESSAGE });
	const format = errorFormatter(log);
	const graphql = useServer<ConnectionParams, Partial<Extra>>(
		{
			schema,
			connectionInitWaitTimeout: INIT_MS,
			// Browsers cannot give a socket headers: the first message may have them instead.
			async onConnect({ connectionParams, extra }) {
				const { request, socket } = extra as Extra;
				const shown = shownBy({ ...request.headers, ...shownIn(connectionParams) }, request.socket.remoteAddress);
				extra.showing = shown;
				try {
					await admission.recognise(shown);
				} catch (error) {
					socket.close(closeCode(error), errorCode(error) ?? "INTERNAL");
					return false;
				}
				extra.looking = setInterval(async () => {
					// Where that cannot be told now, the next look tells.
					const isKnown = await admission.isStillKnown(shown).catch(() => true);
					if (!isKnown) socket.close(UNAUTHORIZED, "UNAUTHENTICATED");
				}, RECOGNISE_MS);
				extra.looking.unref();
				return true;
			},
			onClose: ({ extra }) => clearInterval(extra.looking),
			async onSubscribe({ subscriptions, extra }, _id, payload) {
				if (Object.keys(subscriptions).length > MOST_SUBSCRIPTIONS) {
					const message = `a socket carries at most ${MOST_SUBSCRIPTIONS} operations at a time`;
					return [new GraphQLError(message, { extensions: { code: "QUERY_TOO_LARGE" } })];
				}
				try {
					const services = await admission.admit(extra.showing as Showing);
					const read = (wish: ConstructorParameters<typeof RequestRead>[1]) => new RequestRead(services, wish);
					const prepared = prepareOperation(schema, payload as OperationRequest, read);
					if (!("schema" in prepared)) return prepared;
					await permitFields(prepared);
					return prepared as ExecutionArgs;
				} catch (error) {
					return [format(error as Error)];
				}
			},
			onNext: (_context, _id, _payload, _args, result) =>
				result.errors ? { ...result, errors: result.errors.map(format) } : undefined,
			onError: (_context, _id, _payload, errors) => errors.map(format),
		},
		sockets,
		PING_MS,
	);

	const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): unknown => {
		const refuse = (status: string) => socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
		socket.on("error", () => socket.destroy());
		if (request.url?.split("?")[0] !== "/graphql") return refuse("404 Not Found");
		if (!places.isOwnOrigin(request.headers) || !places.isOwnName(request.headers)) return refuse("403 Forbidden");
		if (sockets.clients.size >= MOST_SOCKETS) return refuse("503 Service Unavailable");
		return sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit("connection", opened, request));
	};
	server.on("upgrade", upgrade);

	return {
		async close() {
			server.off("upgrade", upgrade);
			// A client that does not say goodbye keeps nobody waiting.
			const late = setTimeout(() => {
				for (const socket of sockets.clients) socket.terminate();
			}, GOODBYE_MS);
			await graphql.dispose();
			clearTimeout(late);
		},
	};
}

type ConnectionParams = Record<string, unknown> | undefined;

/** Headers as a first message has them: `{"authorization": "Bearer …"}`, in small or capital letters. */
function shownIn(params: ConnectionParams): Partial<Record<"authorization" | "x-api-key", string>> {
	const shown: Partial<Record<"authorization" | "x-api-key", string>> = {};
	for (const [name, value] of Object.entries(params ?? {})) {
		const header = name.toLowerCase();
		if ((header === "authorization" || header === "x-api-key") && typeof value === "string") shown[header] = value;
	}
	return shown;
}

/** The protocol's code for who is not known; else one that says to come again. */
const closeCode = (error: unknown): number => (errorCode(error) === "UNAUTHENTICATED" ? UNAUTHORIZED : 1_013);
