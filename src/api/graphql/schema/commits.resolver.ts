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
import { commitKey } from "../../../domain/keys.js";
import type { PublishedSnapshot as Published } from "../../../services/viewing/lode-view.js";
import type { GraphqlContext } from "../operation.js";
import { connectionOf, connectionType, pageCost, pageRequest } from "../relay.js";
import { JsonObjectScalar } from "../scalars.js";
import { Entity } from "./entity.types.js";
import { Ingestion } from "./ingestion.types.js";
import { PagedReadArgs, SourcePagedReadArgs } from "./paged-args.js";
import { ReadArgs } from "./read-args.js";
import { PublishedSnapshotConnection, Snapshot } from "./snapshot.types.js";

@ObjectType({ description: "A commit that was ingested." })
export class Commit {
	@Field(() => ID)
	sha!: string;
	@Field(() => ID)
	source!: string;
	@Field(() => Int, { description: "The first snapshot that shows it." })
	snapshot!: number;
	@Field()
	publishedAt!: string;
	@Field(() => Ingestion)
	ingestion!: Ingestion;
}

const CommitConnection = connectionType(Commit, "Commit");

@ArgsType()
class CommitsArgs extends PagedReadArgs {
	@Field(() => String)
	source!: string;
}

const commitOf = ({ number: snapshot, publishedAt, ingestion }: Published) => ({
	sha: ingestion.commit,
	source: ingestion.source,
	snapshot,
	publishedAt,
	ingestion,
});

@Resolver(() => Commit)
export class CommitsResolver {
	@Query(() => Snapshot, { description: "The snapshot that this request answers from." })
	async snapshot(@Context() { read }: GraphqlContext, @Args({ type: () => ReadArgs }) _args: ReadArgs) {
		return (await read.view()).snapshot;
	}

	@Query(() => PublishedSnapshotConnection, { complexity: pageCost, description: "Newest first." })
	async snapshots(
		@Context() { read }: GraphqlContext,
		@Args({ type: () => SourcePagedReadArgs }) args: SourcePagedReadArgs,
	) {
		const view = await read.view();
		const { items, more } = await view.snapshots(args.source, pageRequest(args));
		const published = items.map(({ cursor, item: { ingestion, ...snapshot } }) => ({
			cursor,
			item: { ...snapshot, ingestionId: ingestion.id, sourceId: ingestion.source, commit: ingestion.commit },
		}));
		return connectionOf({ items: published, more }, view, args);
	}

	@Query(() => CommitConnection, { complexity: pageCost, description: "Ingested commits of a source, newest first." })
	async commits(@Context() { read }: GraphqlContext, @Args({ type: () => CommitsArgs }) args: CommitsArgs) {
		const view = await read.view();
		const { items, more } = await view.snapshots(args.source, pageRequest(args));
		const commits = items.map(({ cursor, item }) => ({ cursor, item: commitOf(item) }));
		return connectionOf({ items: commits, more }, view, args);
	}

	@ResolveField(() => JsonObjectScalar, {
		nullable: true,
		description: "What the repository's log says of it: subject, author, time. Null where the source has no log.",
	})
	async details(@Context() { read }: GraphqlContext, @Parent() { source, sha }: Commit) {
		return (await read.entities(source).load(commitKey(source, sha)))?.props ?? null;
	}

	@ResolveField(() => Entity, {
		nullable: true,
		description: "The commit in the graph: its author, parents and files.",
	})
	async entity(@Context() { read }: GraphqlContext, @Parent() { source, sha }: Commit) {
		const entity = await read.entities(source).load(commitKey(source, sha));
		return entity ? { ...entity, scope: source } : null;
	}
}
