import { ArgsType, Field, Int } from "@nestjs/graphql";
import { ReadArgs } from "./read-args.js";

/** A read that answers with a page. */
@ArgsType()
export class PagedReadArgs extends ReadArgs {
	@Field(() => Int, { nullable: true, description: "1 to 100; 20 where omitted." })
	first?: number;
	@Field(() => String, { nullable: true, description: "The cursor of the last item of the page before." })
	after?: string;
}

/** The same within one source, or all. */
@ArgsType()
export class SourcePagedReadArgs extends PagedReadArgs {
	@Field(() => String, { nullable: true, description: "An id, a unique beginning of one, or an address." })
	source?: string;
}
