import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory } from "@nestjs/graphql";
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from "graphql";
import { RESOLVERS, SCHEMA_OPTIONS } from "./schema/resolvers.js";

/** The schema of `/graphql`. Opens nothing. */
export async function buildGraphqlSchema(): Promise<GraphQLSchema> {
	const app = await NestFactory.createApplicationContext(GraphQLSchemaBuilderModule, { logger: false });
	try {
		return await app.get(GraphQLSchemaFactory).create(RESOLVERS, SCHEMA_OPTIONS);
	} finally {
		await app.close();
	}
}

/** The same as text: what schema.graphql has to hold. */
export async function printGraphqlSchema(): Promise<string> {
	return `${printSchema(lexicographicSortSchema(await buildGraphqlSchema()))}\n`;
}
