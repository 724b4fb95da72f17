import { Controller, Get, Inject, Param, UseInterceptors } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import { type GroupReport, groupPlace } from "../../services/groups/group-report.js";
import { Answers, AnswersProblems, CheckedQuery } from "../document/described.js";
import { groupSchema, groupsSchema } from "../document/report.schemas.js";
import { AwaitVisibility } from "./await-visibility.js";
import { OpenReader } from "./open-reader.js";
import { type GroupsParameters, groupsQuery, type PlainParameters, plainQuery } from "./queries.js";

@ApiTags("groups")
@AnswersProblems()
@UseInterceptors(AwaitVisibility)
@Controller("api/v1/groups")
export class GroupsController {
	constructor(@Inject(OpenReader) private readonly reader: OpenReader) {}

	/** The groups of a source, or of all. */
	@Get()
	@Answers(groupsSchema, "As `lode group list --json`.")
	async list(@CheckedQuery(groupsQuery) { source }: GroupsParameters): Promise<{ groups: readonly GroupReport[] }> {
		return { groups: await this.reader.use().groups(source) };
	}

	/** One group, by its id `<source>:<name>`, and whether the index has what it says. */
	@Get(":id")
	@Answers(groupSchema, "As `lode group show --json`.")
	async show(@Param("id") id: string, @CheckedQuery(plainQuery) _query: PlainParameters): Promise<GroupReport> {
		const { source, name } = groupPlace(id);
		return this.reader.use().group(source, name);
	}
}
