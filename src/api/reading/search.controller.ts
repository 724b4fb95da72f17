import { Controller, Get, Inject, UseInterceptors } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import type { SearchReport } from "../../services/reports.js";
import { groupingOf } from "../../services/search/group-hits.js";
import { Answers, AnswersProblems, CheckedQuery } from "../document/described.js";
import { searchSchema } from "../document/search.schemas.js";
import { AwaitVisibility } from "./await-visibility.js";
import { OpenReader } from "./open-reader.js";
import { type SearchParameters, searchQuery } from "./queries.js";

@ApiTags("search")
@AnswersProblems()
@UseInterceptors(AwaitVisibility)
@Controller("api/v1/search")
export class SearchController {
	constructor(@Inject(OpenReader) private readonly reader: OpenReader) {}

	/** Chunks of text and code, best first. */
	@Get()
	@Answers(searchSchema, "As `lode search --json`.")
	search(
		@CheckedQuery(searchQuery)
		{
			q,
			kind,
			language,
			groupBy,
			rule,
			minVisibility: _token,
			visibilityTimeout: _seconds,
			...query
		}: SearchParameters,
	): Promise<SearchReport> {
		const grouping = groupingOf(groupBy, rule);
		return this.reader.use().search({ ...query, text: q ?? "", kinds: kind, languages: language, grouping });
	}
}
