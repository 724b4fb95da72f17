import { Controller, Get, Inject, Param, Query } from "@nestjs/common";
import type { SourceReport, StatusReport } from "../../services/reports.js";
import { Validated } from "../errors/validated.js";
import { OpenReader } from "./open-reader.js";
import { type SourcesParameters, sourcesQuery } from "./queries.js";

@Controller("api/v1")
export class SourcesController {
	constructor(@Inject(OpenReader) private readonly reader: OpenReader) {}

	/** `lag=true` asks every repository for its head, which takes seconds where one is away. */
	@Get("sources")
	async sources(@Query(new Validated(sourcesQuery)) { lag }: SourcesParameters): Promise<{ sources: SourceReport[] }> {
		return { sources: await this.reader.use().sources({ lag }) };
	}

	/** The latest ingestions, and every parked one. */
	@Get("ingestions")
	ingestions(): Promise<StatusReport> {
		return this.reader.use().status();
	}

	@Get("ingestions/:id")
	ingestion(@Param("id") id: string): Promise<StatusReport> {
		return this.reader.use().status(id);
	}
}
