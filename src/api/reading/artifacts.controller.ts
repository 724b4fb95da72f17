import { Readable } from "node:stream";
import { Controller, Get, Header, Inject, Param, Res, StreamableFile, UseInterceptors } from "@nestjs/common";
import { ApiResponse, ApiTags } from "@nestjs/swagger";
import type { FastifyReply } from "fastify";
import { Answers, AnswersProblems, CheckedQuery } from "../document/described.js";
import { artifactsSchema } from "../document/report.schemas.js";
import { downloadOf } from "../graphql/schema/artifacts.resolver.js";
import { AwaitVisibility } from "./await-visibility.js";
import { OpenReader } from "./open-reader.js";
import { answeredPage, openPage } from "./pages.js";
import { type ArtifactsParameters, artifactsQuery, type ContentParameters, contentQuery } from "./queries.js";

@ApiTags("artifacts")
@AnswersProblems()
@UseInterceptors(AwaitVisibility)
@Controller("api/v1/sources/:source/artifacts")
export class ArtifactsController {
	constructor(@Inject(OpenReader) private readonly reader: OpenReader) {}

	/** Files of a commit, by path. */
	@Get()
	@Answers(artifactsSchema, "A page of them.")
	async list(@Param("source") source: string, @CheckedQuery(artifactsQuery) query: ArtifactsParameters) {
		const { view, page } = await openPage(this.reader.services().views, query);
		const found = await view.files(source, query.folder, page);
		return answeredPage("artifacts", view, found, (file) => ({
			...file,
			download: downloadOf(file, view.snapshot.number),
		}));
	}

	/** The bytes of a file. Never shown by a browser as what they say they are: they may be anybody's. */
	@Get("content")
	@ApiResponse({
		status: 200,
		description: "Its bytes.",
		content: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
	})
	@Header("content-security-policy", "sandbox; default-src 'none'")
	async content(
		@Param("source") source: string,
		@CheckedQuery(contentQuery) { path, at }: ContentParameters,
		@Res({ passthrough: true }) reply: FastifyReply,
	): Promise<StreamableFile> {
		const { views } = this.reader.services();
		const view = await views.open({ at });
		const { object } = await view.file(source, path);
		const { size, pieces } = await views.content(object);
		void reply.header("etag", `"${object}"`);
		const name = path.split("/").at(-1) ?? "artifact";
		return new StreamableFile(Readable.from(pieces, { objectMode: false }), {
			type: "application/octet-stream",
			length: size,
			disposition: `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)}`,
		});
	}
}
