import { ArgsType, Field } from "@nestjs/graphql";

/** What every read takes. */
@ArgsType()
export class ReadArgs {
	@Field(() => String, {
		nullable: true,
		description:
			"A snapshot number, a time (ISO 8601) or a commit. A request answers from one snapshot: an `at` on one field counts for all. The latest where omitted.",
	})
	at?: string;
}
