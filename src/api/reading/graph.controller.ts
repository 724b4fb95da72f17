import { Controller, Get, Inject, Query } from "@nestjs/common";
import type { DiffReport, GraphReport } from "../../services/reports.js";
import { Validated } from "../errors/validated.js";
import { OpenReader } from "./open-reader.js";
import { type DiffParameters, diffQuery, type GraphParameters, graphQuery } from "./queries.js";

@Controller("api/v1")
export class GraphController {
	constructor(@Inject(OpenReader) private readonly reader: OpenReader) {}

	/** An entity by key or name, with what is around it. */
	@Get("graph")
	graph(@Query(new Validated(graphQuery)) { entity, ...options }: GraphParameters): Promise<GraphReport> {
		return this.reader.use().graph(entity, options);
	}

	/** What changed between two states of a source. */
	@Get("diff")
	diff(@Query(new Validated(diffQuery)) { source, from, to }: DiffParameters): Promise<DiffReport> {
		return this.reader.use().diff(source, from, to);
	}
}
