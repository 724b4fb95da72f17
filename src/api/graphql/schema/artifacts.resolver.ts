import {
	Args,
	ArgsType,
	Context,
	Field,
	ID,
	Int,
	ObjectType,
	Parent,
	Query,
	ResolveField,
	Resolver,
} from "@nestjs/graphql";
import { numberedAt } from "../../../services/at.js";
import type { ArchivedFile } from "../../../services/viewing/lode-view.js";
import type { GraphqlContext } from "../operation.js";
import { connectionOf, connectionType, pageCost, pageRequest } from "../relay.js";
import { SafeInt } from "../scalars.js";
import { PagedReadArgs } from "./paged-args.js";
import { ReadArgs } from "./read-args.js";

@ObjectType()
class Skip {
	@Field()
	reason!: string;
	@Field()
	detail!: string;
}

@ObjectType({ description: "A file of a commit, whose bytes lie in the archive." })
class Artifact {
	@Field(() => ID)
	source!: string;
	@Field()
	path!: string;
	@Field({ description: "The SHA-256 of its bytes." })
	object!: string;
	@Field(() => SafeInt, { description: "Bytes." })
	size!: number;
	@Field()
	mode!: string;
	@Field()
	mediaType!: string;
	@Field(() => String, { nullable: true })
	language!: string | null;
	@Field(() => Int)
	chunks!: number;
	@Field(() => [Skip], { description: "Why the miner left it, or a part of it, out." })
	skips!: Skip[];
}

const ArtifactConnection = connectionType(Artifact, "Artifact");

@ArgsType()
class ArtifactsArgs extends PagedReadArgs {
	@Field(() => String)
	source!: string;
	@Field(() => String, { nullable: true, description: "Only what lies below it." })
	folder?: string;
}

@ArgsType()
class ArtifactArgs extends ReadArgs {
	@Field(() => String)
	source!: string;
	@Field(() => String)
	path!: string;
}

@Resolver(() => Artifact)
export class ArtifactsResolver {
	@Query(() => ArtifactConnection, { complexity: pageCost, description: "By path." })
	async artifacts(@Context() { read }: GraphqlContext, @Args({ type: () => ArtifactsArgs }) args: ArtifactsArgs) {
		const view = await read.view();
		const page = await view.files(args.source, args.folder ?? undefined, pageRequest(args));
		return connectionOf(page, view, args);
	}

	@Query(() => Artifact)
	async artifact(
		@Context() { read }: GraphqlContext,
		@Args({ type: () => ArtifactArgs }) { source, path }: ArtifactArgs,
	) {
		return (await read.view()).file(source, path);
	}

	@ResolveField(() => String, {
		description: "Where its bytes can be had: a path of this API, of this request's snapshot.",
	})
	async download(@Context() { read }: GraphqlContext, @Parent() file: ArchivedFile) {
		return downloadOf(file, (await read.view()).snapshot.number);
	}
}

/** The path of this API where the bytes of a file can be had, as a snapshot has them. */
export function downloadOf({ source, path }: Pick<ArchivedFile, "source" | "path">, snapshot: number): string {
	const place = new URLSearchParams({ path, at: numberedAt(snapshot) });
	return `/api/v1/sources/${encodeURIComponent(source)}/artifacts/content?${place}`;
}
