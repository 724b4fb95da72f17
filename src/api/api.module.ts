import { type DynamicModule, Module } from "@nestjs/common";
import type { Metrics } from "../observability/metrics/metrics.js";
import { graphqlApi } from "./graphql/graphql-api.module.js";
import { HealthController } from "./health/health.controller.js";
import { MetricsController, PageOfMetrics } from "./health/metrics.controller.js";
import { ReadinessOf } from "./health/readiness.js";
import type { Log } from "./http-server.js";
import { KeysController } from "./keys/keys.controller.js";
import { ArtifactsController } from "./reading/artifacts.controller.js";
import { GraphController } from "./reading/graph.controller.js";
import { GroupsController } from "./reading/groups.controller.js";
import { LogController } from "./reading/log.controller.js";
import { OpenReader } from "./reading/open-reader.js";
import { SearchController } from "./reading/search.controller.js";
import { SourcesController } from "./reading/sources.controller.js";
import { CommandsController } from "./writing/commands.controller.js";
import { GroupsWritingController } from "./writing/groups-writing.controller.js";
import { IngestionsWritingController } from "./writing/ingestions-writing.controller.js";
import { MaintenanceController } from "./writing/maintenance.controller.js";
import { SourcesWritingController } from "./writing/sources-writing.controller.js";

@Module({
	controllers: [
		HealthController,
		MetricsController,
		SearchController,
		GraphController,
		SourcesController,
		GroupsController,
		ArtifactsController,
		LogController,
		SourcesWritingController,
		GroupsWritingController,
		IngestionsWritingController,
		MaintenanceController,
		CommandsController,
		KeysController,
	],
})
class ApiModule {}

/** The REST routes over what the process has opened. */
export function restModule(reader: OpenReader, readiness: ReadinessOf, metrics?: Metrics): DynamicModule {
	return {
		module: ApiModule,
		providers: [
			{ provide: OpenReader, useValue: reader },
			{ provide: ReadinessOf, useValue: readiness },
			{ provide: PageOfMetrics, useValue: new PageOfMetrics(metrics) },
		],
	};
}

/** The application over what the process has opened. */
export function apiModule(reader: OpenReader, readiness: ReadinessOf, log: Log, metrics?: Metrics): DynamicModule {
	const rest = restModule(reader, readiness, metrics);
	const graphql = graphqlApi(() => reader.services(), log);
	return { ...rest, imports: graphql.imports, providers: [...(rest.providers ?? []), ...graphql.providers] };
}
