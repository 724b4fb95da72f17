import { Injectable } from "@nestjs/common";
import { AbstractGraphQLDriver, type GqlModuleOptions } from "@nestjs/graphql";
import type { FastifyInstance } from "fastify";
import { GraphQLError, type GraphQLSchema } from "graphql";
import { createHandler } from "graphql-http/lib/use/fastify";
import type { ApiServices } from "../../services/lode.js";
import type { Log } from "../http-server.js";
import { errorFormatter } from "./format-error.js";
import { prepareOperation } from "./operation.js";
import { permitFields } from "./permit-fields.js";
import { RequestRead } from "./request-read.js";

export interface GraphqlDriverOptions extends GqlModuleOptions {
	readonly services: () => ApiServices;
	readonly log: Log;
}

/** GraphQL over HTTP as its specification has it (graphql-http), on Fastify. Subscriptions come over a WebSocket: see subscriptions. */
@Injectable()
export class GraphqlDriver extends AbstractGraphQLDriver<GraphqlDriverOptions> {
	async start({ schema, path = "/graphql", services, log }: GraphqlDriverOptions): Promise<void> {
		const fastify = this.httpAdapterHost.httpAdapter.getInstance<FastifyInstance>();
		const formatError = errorFormatter(log);
		const handler = createHandler({
			// A result, or errors: which of the two decides what is answered.
			async onSubscribe(_request, { query, operationName, variables }) {
				const prepared = prepareOperation(
					schema as GraphQLSchema,
					{ query, operationName, variables: variables as Record<string, unknown> | undefined },
					(wish) => new RequestRead(services(), wish),
				);
				if (!("schema" in prepared)) return prepared;
				try {
					await permitFields(prepared);
					return prepared;
				} catch (error) {
					return [new GraphQLError((error as Error).message, { originalError: error as Error })];
				}
			},
			formatError,
		});
		fastify.route({ method: ["GET", "POST"], url: path, handler });
	}

	async stop(): Promise<void> {}
}
