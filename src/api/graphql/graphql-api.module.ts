import type { DynamicModule } from "@nestjs/common";
import { GraphQLModule } from "@nestjs/graphql";
import type { ApiServices } from "../../services/lode.js";
import type { Log } from "../http-server.js";
import { GraphqlDriver, type GraphqlDriverOptions } from "./graphql-driver.js";
import { RESOLVERS, SCHEMA_OPTIONS } from "./schema/resolvers.js";

/** `/graphql`, code first: the schema follows from the types and resolvers below schema/. */
export function graphqlApi(
	services: () => ApiServices,
	log: Log,
): { readonly imports: DynamicModule[]; readonly providers: typeof RESOLVERS } {
	return {
		imports: [
			GraphQLModule.forRoot<GraphqlDriverOptions>({
				driver: GraphqlDriver,
				path: "/graphql",
				autoSchemaFile: true,
				buildSchemaOptions: SCHEMA_OPTIONS,
				services,
				log,
			}),
		],
		providers: RESOLVERS,
	};
}
