import { Controller, Get, Inject, UseInterceptors } from "@nestjs/common";
import { ApiTags } from "@nestjs/swagger";
import { Answers, AnswersProblems, CheckedQuery } from "../document/described.js";
import { eventsSchema, snapshotsSchema } from "../document/report.schemas.js";
import { eventOf } from "../graphql/schema/events.resolver.js";
import { AwaitVisibility } from "./await-visibility.js";
import { OpenReader } from "./open-reader.js";
import { answeredPage, openPage } from "./pages.js";
import { type EventsParameters, eventsQuery, type SnapshotsParameters, snapshotsQuery } from "./queries.js";

@ApiTags("log")
@AnswersProblems()
@UseInterceptors(AwaitVisibility)
@Controller("api/v1")
export class LogController {
	constructor(@Inject(OpenReader) private readonly reader: OpenReader) {}

	/** What was published, newest first. */
	@Get("snapshots")
	@Answers(snapshotsSchema, "A page of them.")
	async snapshots(@CheckedQuery(snapshotsQuery) query: SnapshotsParameters) {
		const { view, page } = await openPage(this.reader.services().views, query);
		const found = await view.snapshots(query.source, page);
		return answeredPage("snapshots", view, found, ({ number, publishedAt, ingestion: { id, source, commit } }) => ({
			number,
			publishedAt,
			source,
			commit,
			ingestion: id,
		}));
	}

	/** The log of all streams, in its order. */
	@Get("events")
	@Answers(eventsSchema, "A page of it.")
	async events(@CheckedQuery(eventsQuery) query: EventsParameters) {
		const { source, stream, type: types } = query;
		const { view, page } = await openPage(this.reader.services().views, query);
		const found = await view.events({ source, stream, types }, page);
		return answeredPage("events", view, found, eventOf);
	}
}
