import type { IncomingHttpHeaders, IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type ExecutionArgs, GraphQLError, type GraphQLSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import type { ApiServices } from "../../../services/lode.js";
import type { Log } from "../../http-server.js";
import { errorFormatter } from "../format-error.js";
import { type OperationRequest, prepareOperation } from "../operation.js";
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
	readonly services: () => ApiServices;
	readonly log: Log;
	/** Whether a browser may open a socket from where it is. */
	readonly accepts: (headers: IncomingHttpHeaders) => boolean;
}

/** Operations over a WebSocket by the protocol of graphql-ws, on the path of GraphQL. */
export function serveSubscriptions({
	server,
	schema,
	services,
	log,
	accepts,
}: SubscriptionOptions): SubscriptionServer {
	const sockets = new WebSocketServer({ noServer: true, maxPayload: MOST_MESSAGE });
	const format = errorFormatter(log);
	const graphql = useServer(
		{
			schema,
			connectionInitWaitTimeout: INIT_MS,
			onSubscribe: ({ subscriptions }, _id, payload) => {
				if (Object.keys(subscriptions).length > MOST_SUBSCRIPTIONS) {
					const message = `a socket carries at most ${MOST_SUBSCRIPTIONS} operations at a time`;
					return [new GraphQLError(message, { extensions: { code: "QUERY_TOO_LARGE" } })];
				}
				const read = (wish: ConstructorParameters<typeof RequestRead>[1]) => new RequestRead(services(), wish);
				try {
					const prepared = prepareOperation(schema, payload as OperationRequest, read);
					return "schema" in prepared ? (prepared as ExecutionArgs) : prepared;
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
		if (!accepts(request.headers)) return refuse("403 Forbidden");
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
