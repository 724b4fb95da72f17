import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { LodeError } from "../../domain/errors.js";
import { restModule } from "../api.module.js";
import { ReadinessOf } from "../health/readiness.js";
import { OpenReader } from "../reading/open-reader.js";
import { openApiDocument } from "./openapi.js";

/** The OpenAPI document as text: what docs/openapi.json has to hold. Opens nothing. */
export async function printOpenApi(): Promise<string> {
	const closed = new OpenReader(
		() => Promise.reject(new LodeError("STORE_UNAVAILABLE", "nothing is open")),
		() => undefined,
	);
	const app = await NestFactory.create(restModule(closed, new ReadinessOf(() => undefined)), new FastifyAdapter(), {
		logger: false,
	});
	try {
		return `${JSON.stringify(openApiDocument(app), null, "\t")}\n`;
	} finally {
		await app.close();
		await closed.close();
	}
}
