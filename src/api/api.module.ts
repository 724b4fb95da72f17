import { type DynamicModule, Module } from "@nestjs/common";
import { graphqlApi } from "./graphql/graphql-api.module.js";
import { HealthController } from "./health/health.controller.js";
import { ReadinessOf } from "./health/readiness.js";
import type { Log } from "./http-server.js";
import { GraphController } from "./reading/graph.controller.js";
import { OpenReader } from "./reading/open-reader.js";
import { SearchController } from "./reading/search.controller.js";
import { SourcesController } from "./reading/sources.controller.js";

@Module({ controllers: [HealthController, SearchController, GraphController, SourcesController] })
class ApiModule {}

/** The application over what the process has opened. */
export function apiModule(reader: OpenReader, readiness: ReadinessOf, log: Log): DynamicModule {
	const graphql = graphqlApi(() => reader.services(), log);
	return {
		module: ApiModule,
		imports: graphql.imports,
		providers: [
			...graphql.providers,
			{ provide: OpenReader, useValue: reader },
			{ provide: ReadinessOf, useValue: readiness },
		],
	};
}
