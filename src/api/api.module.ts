import { type DynamicModule, Module } from "@nestjs/common";
import { graphqlApi } from "./graphql/graphql-api.module.js";
import { HealthController } from "./health/health.controller.js";
import { ReadinessOf } from "./health/readiness.js";
import type { Log } from "./http-server.js";
import { KeysController } from "./keys/keys.controller.js";
import { ArtifactsController } from "./reading/artifacts.controller.js";
import { GraphController } from "./reading/graph.controller.js";
import { LogController } from "./reading/log.controller.js";
import { OpenReader } from "./reading/open-reader.js";
import { SearchController } from "./reading/search.controller.js";
import { SourcesController } from "./reading/sources.controller.js";
import { CommandsController } from "./writing/commands.controller.js";
import { IngestionsWritingController } from "./writing/ingestions-writing.controller.js";
import { MaintenanceController } from "./writing/maintenance.controller.js";
import { SourcesWritingController } from "./writing/sources-writing.controller.js";

@Module({
	controllers: [
		HealthController,
		SearchController,
		GraphController,
		SourcesController,
		ArtifactsController,
		LogController,
		SourcesWritingController,
		IngestionsWritingController,
		MaintenanceController,
		CommandsController,
		KeysController,
	],
})
class ApiModule {}

/** The REST routes over what the process has opened. */
export function restModule(reader: OpenReader, readiness: ReadinessOf): DynamicModule {
	return {
		module: ApiModule,
		providers: [
			{ provide: OpenReader, useValue: reader },
			{ provide: ReadinessOf, useValue: readiness },
		],
	};
}

/** The application over what the process has opened. */
export function apiModule(reader: OpenReader, readiness: ReadinessOf, log: Log): DynamicModule {
	const rest = restModule(reader, readiness);
	const graphql = graphqlApi(() => reader.services(), log);
	return { ...rest, imports: graphql.imports, providers: [...(rest.providers ?? []), ...graphql.providers] };
}
