import { ArgsType, Field, Int } from "@nestjs/graphql";

/** What a read takes that belongs to no snapshot. */
@ArgsType()
export class VisibilityArgs {
	@Field(() => String, {
		nullable: true,
		description: "The visibility token of a write: the request waits until it shows what was written.",
	})
	minVisibility?: string;
	@Field(() => Int, { nullable: true, description: "Seconds to wait for it: 0 to 60; 10 where omitted." })
	visibilityTimeout?: number;
}

/** What every other read takes. */
@ArgsType()
export class ReadArgs extends VisibilityArgs {
	@Field(() => String, {
		nullable: true,
		description:
			"A snapshot number, a time (ISO 8601) or a commit. A request answers from one snapshot: an `at` on one field counts for all. The latest where omitted.",
	})
	at?: string;
}
