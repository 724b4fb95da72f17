/** The status codes of gRPC that say something of their own here. */
export const GRPC = {
	INVALID_ARGUMENT: 3,
	NOT_FOUND: 5,
	ALREADY_EXISTS: 6,
	PERMISSION_DENIED: 7,
	UNIMPLEMENTED: 12,
	UNAUTHENTICATED: 16,
} as const;

/** Of whatever a client threw, or of what caused it. */
export function grpcCode(error: unknown): number | undefined {
	for (let current = error; typeof current === "object" && current !== null; ) {
		if ("code" in current && typeof current.code === "number") return current.code;
		current = "cause" in current ? current.cause : undefined;
	}
	return undefined;
}
