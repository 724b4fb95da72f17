import type { INestApplication } from "@nestjs/common";
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from "@nestjs/swagger";
import { z } from "zod";
import { operationOf, restOperation } from "../../services/security/operations.js";
import { problemSchema } from "./problem.schema.js";

/** JSON Schema as OpenAPI 3.0 has it, with named schemas as components. */
function converted(schema: unknown, { schemaType: io }: { schemaType: "input" | "output" }) {
	const {
		definitions = {},
		$schema: _,
		...rest
	} = z.toJSONSchema(schema as z.ZodType, {
		target: "openapi-3.0",
		io,
		unrepresentable: "any",
		override: ({ jsonSchema }) => {
			// A number in a query string is checked as a text; what it stands for is an integer.
			if (jsonSchema.type === "integer") delete jsonSchema.pattern;
		},
	}) as { definitions?: Record<string, object>; $schema?: string };
	return { schema: rest, components: definitions };
}

/** The OpenAPI document of the REST routes. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
	const config = new DocumentBuilder()
		.setTitle("Lode")
		.setDescription(
			"Every commit as a searchable snapshot: knowledge graph, artifacts and embeddings. See docs/api.md.",
		)
		.setVersion("1")
		.addBearerAuth({ type: "http", scheme: "bearer", description: "An API key, or a token of the issuer." }, "bearer")
		.addApiKey({ type: "apiKey", name: "X-API-Key", in: "header", description: "An API key." }, "apiKey")
		// Nobody is asked where there never was a key: see docs/security.md.
		.addSecurityRequirements("bearer")
		.addSecurityRequirements("apiKey")
		.build();
	const document = SwaggerModule.createDocument(app, config, {
		standardSchemaConverter: converted as never,
		operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, "")}_${method}`,
	});
	const { components } = converted(problemSchema, { schemaType: "output" });
	document.components = {
		...document.components,
		schemas: { ...document.components?.schemas, ...(components as object) },
	};
	for (const [path, operations] of Object.entries(document.paths)) {
		for (const [method, operation] of Object.entries(operations)) {
			const name = restOperation(method.toUpperCase(), path.replace(/\{(\w+)\}/g, ":$1"));
			if (name !== undefined && operationOf(name).least === "anyone") operation.security = [];
		}
	}
	return document;
}

/** `/api/v1/docs` to read it, `/api/v1/openapi.json` to work with it. */
export function serveDocument(app: INestApplication): void {
	const document = openApiDocument(app);
	SwaggerModule.setup("api/v1/docs", app, document, {
		jsonDocumentUrl: "api/v1/openapi.json",
		yamlDocumentUrl: "api/v1/openapi.yaml",
	});
}
