import { Controller, Get, Inject, Query } from "@nestjs/common";
import type { SearchReport } from "../../services/reports.js";
import { groupingOf } from "../../services/search/group-hits.js";
import { Validated } from "../errors/validated.js";
import { OpenReader } from "./open-reader.js";
import { type SearchParameters, searchQuery } from "./queries.js";

@Controller("api/v1/search")
export class SearchController {
	constructor(@Inject(OpenReader) private readonly reader: OpenReader) {}

	@Get()
	search(
		@Query(new Validated(searchQuery)) { q, kind, language, groupBy, rule, ...query }: SearchParameters,
	): Promise<SearchReport> {
		const grouping = groupingOf(groupBy, rule);
		return this.reader.use().search({ ...query, text: q ?? "", kinds: kind, languages: language, grouping });
	}
}
