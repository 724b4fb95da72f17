import { Controller, Get, Inject, UseInterceptors } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import type { DiffReport, GraphReport } from "../../services/reports.js";
import { Answers, AnswersProblems, CheckedQuery } from "../document/described.js";
import { diffSchema, graphSchema } from "../document/report.schemas.js";
import { AwaitVisibility } from "./await-visibility.js";
import { OpenReader } from "./open-reader.js";
import { type DiffParameters, diffQuery, type GraphParameters, graphQuery } from "./queries.js";

@ApiTags("graph")
@AnswersProblems()
@UseInterceptors(AwaitVisibility)
@Controller("api/v1")
export class GraphController {
	constructor(@Inject(OpenReader) private readonly reader: OpenReader) {}

	/** An entity by key or name, with what is around it. */
	@Get("graph")
	@Answers(graphSchema, "As `lode graph show --json`.")
	graph(@CheckedQuery(graphQuery) { entity, ...options }: GraphParameters): Promise<GraphReport> {
		return this.reader.use().graph(entity, options);
	}

	/** What changed between two states of a source. */
	@Get("diff")
	@Answers(diffSchema, "As `lode diff --json`.")
	diff(@CheckedQuery(diffQuery) { source, from, to }: DiffParameters): Promise<DiffReport> {
		return this.reader.use().diff(source, from, to);
	}
}
