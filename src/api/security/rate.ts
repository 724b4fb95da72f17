import rateLimit, { normalizeIP } from "@fastify/rate-limit";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { LodeError } from "../../domain/errors.js";
import type { Principal } from "../../services/security/principal.js";

/** How often somebody may ask. Where nobody is asked who they are, the machine's own user is not held up. */
export interface Rate {
	/** Counts a request. @throws RATE_LIMITED */
	ofPrincipal(principal: Principal): Promise<void>;
	/**
	 * Counts a request of this address that showed nothing valid. One that does is never held up by others: behind a proxy all have one address.
	 * @throws RATE_LIMITED
	 */
	ofStranger(address: string): Promise<void>;
}

/** Principals and addresses that are remembered at a time. */
const CACHE = 20_000;

export async function createRate(fastify: FastifyInstance, max: number): Promise<Rate> {
	await fastify.register(rateLimit, { global: false, cache: CACHE });
	const limit = fastify.createRateLimit({
		max,
		timeWindow: "1 minute",
		keyGenerator: (request) => (request as unknown as Asking).who,
	});
	const count = async (who: string): Promise<void> => {
		// Messages of sockets are limited as requests are, and are none: the limiter reads nothing else of one.
		const asking: Asking = { who, routeOptions: {} };
		const found = await limit(asking as unknown as FastifyRequest);
		if (!found.isAllowed && found.isExceeded) {
			throw new LodeError("RATE_LIMITED", `more than ${max} requests a minute`, {
				next: "Send fewer, or wait.",
				retryAfterMs: found.ttl,
			});
		}
	};
	return {
		async ofPrincipal({ id, kind }) {
			if (kind !== "local") await count(id);
		},
		ofStranger: (address) => count(`address:${normalizeIP(address, 64)}`),
	};
}

interface Asking {
	readonly who: string;
	readonly routeOptions: object;
}
