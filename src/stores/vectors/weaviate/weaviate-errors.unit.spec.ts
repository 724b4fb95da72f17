import { describe, expect, it } from "vitest";
import { weaviateError } from "./weaviate-errors.js";

const PLACES = { url: "http://127.0.0.1:8080", grpcAddress: "127.0.0.1:50051" };

describe("what Weaviate says", () => {
	// As 1.35.2 says it, to REST and to gRPC, within the seconds after a start in which its collections are not loaded yet.
	it.each([
		'The request to Weaviate failed with status code: 500 and message: {"error":[{"message":"could not delete object from vector repo: delete from non-existing index for Lode_ta70b2bde1294_986b5c3595ba"}]}',
		"/weaviate.v1.Weaviate/Search UNKNOWN: could not find class Lode_ta70b2bde1294_986b5c3595ba in schema",
		"/weaviate.v1.Weaviate/Search UNKNOWN: tried to browse non-existing index for Lode_ta70b2bde1294_986b5c3595ba",
		'class "Lode_ta70b2bde1294_986b5c3595ba" not found in schema',
	])("is that it is away, where it is still loading: %s", (message) => {
		expect(weaviateError(new Error(message), PLACES, "read chunks")).toMatchObject({
			code: "STORE_UNAVAILABLE",
			message: expect.stringContaining("Cannot read chunks in Weaviate at http://127.0.0.1:8080"),
			next: expect.stringContaining("lode rebuild --replace"),
		});
	});

	it("is a failure for good, where it refuses what it understood, and never repeated to people", () => {
		const error = weaviateError(new Error("invalid text property 'secret'"), PLACES, "store chunks");
		expect(error.code).toBe("INTERNAL");
		expect(error.message + error.next).not.toContain("secret");
	});

	// As grpc-js says it, which the client wraps and searches past it do not.
	it.each([
		["2 UNKNOWN: extract auth: unauthorized: invalid api key", "PERMISSION_DENIED"],
		["7 PERMISSION_DENIED: rbac: authorization, user 'lode'", "PERMISSION_DENIED"],
		["14 UNAVAILABLE: No connection established.", "STORE_UNAVAILABLE"],
		["4 DEADLINE_EXCEEDED: Deadline exceeded after 60.001s", "STORE_UNAVAILABLE"],
		["2 UNKNOWN: vector search: no vectors in index", "INTERNAL"],
	])("has a code by what gRPC says: %s", (message, code) => {
		expect(weaviateError(Object.assign(new Error(message), { code: 0 }), PLACES, "search").code).toBe(code);
	});
});
