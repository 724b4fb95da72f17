import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { LodeError } from "../domain/errors.js";
import { type Grants, parseGrants } from "../domain/roles.js";
import type { TokenVerifier } from "../services/security/token-verifier.port.js";

export interface OidcOptions {
	readonly issuer: string;
	readonly audience: string;
	readonly rolesClaim: string;
}

/** Signed with a private key: a shared secret would let everybody who can check a token make one, `none` everybody. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const TIMEOUT_MS = 5_000;
/** After a failure the issuer is asked again. */
const AGAIN_MS = 5_000;
/** Between two clocks. */
const TOLERANCE_SECONDS = 5;
const SUBJECT = /^[^\p{Cc}]{1,200}$/u;
const MOST_METADATA = 256 * 1024;

/** Tokens of an OpenID Connect issuer, checked with the keys that it publishes. It is asked when the first token comes. */
export function createOidcTokens({ issuer, audience, rolesClaim }: OidcOptions): TokenVerifier {
	let keys: Promise<JWTVerifyGetKey> | undefined;
	let failedAt = Number.NEGATIVE_INFINITY;

	function published(): Promise<JWTVerifyGetKey> {
		if (keys === undefined && performance.now() - failedAt < AGAIN_MS) throw away();
		keys ??= discover(issuer).catch((error: unknown) => {
			keys = undefined;
			failedAt = performance.now();
			throw away(error);
		});
		return keys;
	}

	return {
		async verify(token) {
			// What is no JWT costs the issuer nothing.
			if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return undefined;
			const find = await published();
			let payload: JWTPayload;
			try {
				({ payload } = await jwtVerify(token, find, {
					issuer,
					audience,
					algorithms: ALGORITHMS,
					clockTolerance: TOLERANCE_SECONDS,
					requiredClaims: ["sub", "exp"],
				}));
			} catch (error) {
				if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) throw away(error);
				return undefined;
			}
			const subject = String(payload.sub);
			return SUBJECT.test(subject) ? { subject, grants: grantsIn(claimOf(payload, rolesClaim)) } : undefined;
		},
	};
}

function away(cause?: unknown): LodeError {
	return new LodeError("STORE_UNAVAILABLE", "the issuer of tokens (LODE_OIDC_ISSUER) cannot be asked for its keys", {
		next: "Try again in some seconds; an API key works meanwhile.",
		cause,
	});
}

async function discover(issuer: string): Promise<JWTVerifyGetKey> {
	const place = `${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`;
	const response = await fetch(place, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
	if (!response.ok) throw new Error(`the issuer answers ${response.status}`);
	const text = await response.text();
	if (text.length > MOST_METADATA) throw new Error("the issuer's metadata is too long");
	const metadata = JSON.parse(text) as { issuer?: unknown; jwks_uri?: unknown };
	// As its specification asks: metadata of another issuer would have other keys.
	if (metadata.issuer !== issuer) throw new Error("the issuer's metadata names another issuer");
	const uri = new URL(String(metadata.jwks_uri));
	if (uri.protocol !== new URL(issuer).protocol && uri.protocol !== "https:")
		throw new Error("its keys are not at https");
	return createRemoteJWKSet(uri, { timeoutDuration: TIMEOUT_MS });
}

function claimOf(payload: JWTPayload, name: string): unknown {
	if (Object.hasOwn(payload, name)) return payload[name];
	let value: unknown = payload;
	for (const part of name.split(".")) {
		if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
		value = (value as Record<string, unknown>)[part];
	}
	return value;
}

/** A list, or a text with spaces or commas between. What is no role of ours is somebody else's. */
function grantsIn(claim: unknown): Grants {
	const texts = Array.isArray(claim) ? claim : typeof claim === "string" ? claim.split(/[\s,]+/) : [];
	const ours = texts.filter((text): text is string => {
		try {
			return typeof text === "string" && parseGrants([text]) !== undefined;
		} catch {
			return false;
		}
	});
	return parseGrants(ours.slice(0, 1_000));
}
