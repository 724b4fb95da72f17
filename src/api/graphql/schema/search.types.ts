import { Field, Float, ID, InputType, Int, ObjectType } from "@nestjs/graphql";
import { JsonObjectScalar } from "../scalars.js";
import { ChunkKindEnum, DirectionEnum, EdgeKindEnum, EntityKindEnum } from "./enums.js";

@ObjectType({ description: "A part of a text: UTF-16 units from its beginning." })
class TextRange {
	@Field(() => Int)
	start!: number;
	@Field(() => Int, { description: "The one after the last." })
	end!: number;
}

@ObjectType({ description: "What a chunk defines or lies in." })
class ContextEntity {
	@Field(() => ID)
	key!: string;
	@Field(() => EntityKindEnum)
	kind!: string;
	@Field()
	name!: string;
}

@ObjectType({ description: "What lies around such an entity." })
class ContextNeighbour extends ContextEntity {
	@Field(() => EdgeKindEnum)
	edge!: string;
	@Field(() => DirectionEnum)
	direction!: string;
}

@ObjectType({ description: "The graph around a hit." })
class HitContext {
	@Field(() => ContextEntity, { nullable: true, description: "The closest that the graph knows." })
	entity!: ContextEntity | null;
	@Field(() => [ContextNeighbour], { description: "At most ten a direction." })
	neighbours!: ContextNeighbour[];
}

@ObjectType()
class ProvenanceChunk {
	@Field(() => Int)
	ordinal!: number;
	@Field()
	group!: string;
}

@ObjectType()
class ProvenanceFile {
	@Field()
	path!: string;
	@Field(() => String, { nullable: true, description: "SHA-256 of its bytes: the address in the archive." })
	artifact!: string | null;
	@Field(() => String, { nullable: true, description: "The repository's own id of its content." })
	blob!: string | null;
}

@ObjectType({ description: "Where a hit comes from: chunk, file, commit, ingestion, workflow, model." })
class Provenance {
	@Field(() => ProvenanceChunk)
	chunk!: ProvenanceChunk;
	@Field(() => ProvenanceFile)
	file!: ProvenanceFile;
	@Field(() => String, { nullable: true, description: "The commit that brought this version of the chunk." })
	commit!: string | null;
	@Field(() => ID)
	ingestion!: string;
	@Field(() => String, { nullable: true })
	workflowId!: string | null;
	@Field(() => String, { nullable: true })
	runId!: string | null;
	@Field()
	model!: string;
}

@ObjectType({ description: "A chunk that was found." })
class SearchHit {
	@Field(() => ID, { description: "Names the chunk by its place; it holds over versions, and `like` takes it." })
	id!: string;
	@Field(() => ID)
	source!: string;
	@Field()
	group!: string;
	@Field()
	commit!: string;
	@Field()
	path!: string;
	@Field(() => Int, { description: "Position of the chunk in its file, from 0." })
	ordinal!: number;
	@Field(() => Int)
	startLine!: number;
	@Field(() => Int)
	endLine!: number;
	@Field(() => ChunkKindEnum)
	kind!: string;
	@Field(() => String, { nullable: true })
	language!: string | null;
	@Field(() => String, { nullable: true })
	symbol!: string | null;
	@Field(() => Float, { description: "0 to 1, comparable within one answer only." })
	score!: number;
	@Field(() => Float, {
		nullable: true,
		description: "0 to 1, (1 + cosine) / 2, comparable over answers of one model; null where its model did not rank.",
	})
	certainty!: number | null;
	@Field({ description: "The embedding model of its group." })
	model!: string;
	@Field()
	text!: string;
	@Field(() => [TextRange], { description: "Where the question's words stand in the text." })
	highlights!: TextRange[];
	@Field(() => JsonObjectScalar, { nullable: true, description: "What plugins say of it, by their names." })
	annotations!: Record<string, unknown> | null;
	@Field(() => HitContext, { nullable: true, complexity: ({ childComplexity }) => 20 + childComplexity })
	context!: HitContext | null;
	@Field(() => Provenance, { nullable: true, complexity: ({ childComplexity }) => 5 + childComplexity })
	provenance!: Provenance | null;
}

@ObjectType({ description: "Hits put together." })
class HitGroup {
	@Field({ description: 'The path of the file or folder ("" is the root), or the name of the rule.' })
	key!: string;
	@Field(() => ID, { nullable: true, description: "Null where hits of several sources may be in it." })
	source!: string | null;
	@Field(() => Float, { description: "Of its best hit." })
	score!: number;
	@Field(() => [Int], { description: "Places in `hits`, from 0, best first." })
	hits!: number[];
}

@ObjectType({ description: "A model whose vectors did not rank." })
class UnavailableModel {
	@Field()
	model!: string;
	@Field()
	reason!: string;
}

@ObjectType()
export class SearchResult {
	@Field(() => Int)
	snapshot!: number;
	@Field({ description: "The embedding model that ranked; several joined by a comma; empty where text alone did." })
	model!: string;
	@Field(() => Float, { description: "Milliseconds." })
	tookMs!: number;
	@Field(() => [SearchHit], { description: "Best first." })
	hits!: SearchHit[];
	@Field(() => [HitGroup], { nullable: true, description: "Where `groupBy` was given." })
	groups!: HitGroup[] | null;
	@Field(() => [UnavailableModel], { nullable: true, description: "Models in scope that could not be asked." })
	unavailable!: UnavailableModel[] | null;
	@Field(() => [String], { nullable: true, description: "Hooks of plugins that failed and were left out." })
	pluginProblems!: string[] | null;
}

@InputType({
	description: "Hits whose path the glob matches are put in the group of that name; the first rule that does counts.",
})
export class GroupingRule {
	@Field()
	name!: string;
	@Field()
	glob!: string;
}
