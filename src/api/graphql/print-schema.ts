import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory } from "@nestjs/graphql";
import { lexicographicSortSchema, printSchema } from "graphql";
import { RESOLVERS, SCHEMA_OPTIONS } from "./schema/resolvers.js";

/** The schema of `/graphql` as text: what schema.graphql has to hold. Opens nothing. */
export async function printGraphqlSchema(): Promise<string> {
	const app = await NestFactory.createApplicationContext(GraphQLSchemaBuilderModule, { logger: false });
	try {
		const schema = await app.get(GraphQLSchemaFactory).create(RESOLVERS, SCHEMA_OPTIONS);
		return `${printSchema(lexicographicSortSchema(schema))}\n`;
	} finally {
		await app.close();
	}
}
