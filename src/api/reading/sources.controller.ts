import { Controller, Get, Inject, Param, UseInterceptors } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import type { GroupReport } from "../../services/groups/group-report.js";
import type { SourceReport, StatusReport } from "../../services/reports.js";
import { Answers, AnswersProblems, CheckedQuery } from "../document/described.js";
import { groupsSchema, sourceReportSchema, sourcesSchema, statusSchema } from "../document/report.schemas.js";
import { AwaitVisibility } from "./await-visibility.js";
import { OpenReader } from "./open-reader.js";
import {
	type IngestionsParameters,
	ingestionsQuery,
	type PlainParameters,
	plainQuery,
	type SourcesParameters,
	sourcesQuery,
} from "./queries.js";

@ApiTags("sources")
@AnswersProblems()
@UseInterceptors(AwaitVisibility)
@Controller("api/v1")
export class SourcesController {
	constructor(@Inject(OpenReader) private readonly reader: OpenReader) {}

	/** Every source, with what is published of it. `lag=true` asks every repository for its head, which takes seconds where one is away. */
	@Get("sources")
	@Answers(sourcesSchema, "As `lode sources --json`.")
	async sources(@CheckedQuery(sourcesQuery) { lag }: SourcesParameters): Promise<{ sources: SourceReport[] }> {
		return { sources: await this.reader.use().sources({ lag }) };
	}

	/** One source, by its id, a unique beginning of it, or its address. */
	@Get("sources/:source")
	@Answers(sourceReportSchema, "As one of `lode sources --json`.")
	async source(
		@Param("source") source: string,
		@CheckedQuery(sourcesQuery) { lag }: SourcesParameters,
	): Promise<SourceReport> {
		return (await this.reader.use().sources({ lag, source }))[0] as SourceReport;
	}

	/** What of a source is indexed, and how. */
	@Get("sources/:source/groups")
	@Answers(groupsSchema, "Its groups.")
	async groups(
		@Param("source") source: string,
		@CheckedQuery(plainQuery) _query: PlainParameters,
	): Promise<{ groups: readonly GroupReport[] }> {
		return { groups: await this.reader.use().groups(source) };
	}

	/** The latest ingestions, and every parked one; with any parameter a page of all, newest first. */
	@Get("ingestions")
	@Answers(statusSchema, "As `lode status --json`.")
	ingestions(@CheckedQuery(ingestionsQuery) query: IngestionsParameters): Promise<StatusReport> {
		const { source, status, first, after } = query;
		const isPage = [source, status, first, after].some((one) => one !== undefined);
		return this.reader.use().status(undefined, isPage ? { source, status, first: first ?? 50, after } : undefined);
	}

	/** One ingestion, with its progress while it runs. */
	@Get("ingestions/:id")
	@Answers(statusSchema, "As `lode status ID --json`.")
	ingestion(@Param("id") id: string, @CheckedQuery(plainQuery) _query: PlainParameters): Promise<StatusReport> {
		return this.reader.use().status(id);
	}
}
