import { Controller, Get, Inject, Param } from "@nestjs/common";
import type { SourceReport, StatusReport } from "../../services/reports.js";
import { OpenReader } from "./open-reader.js";

@Controller("api/v1")
export class SourcesController {
	constructor(@Inject(OpenReader) private readonly reader: OpenReader) {}

	@Get("sources")
	async sources(): Promise<{ sources: SourceReport[] }> {
		return { sources: await this.reader.use().sources() };
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
