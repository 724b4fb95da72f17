import type { IncomingHttpHeaders } from "node:http";
import { errorCode } from "../../domain/errors.js";
import type { ApiServices } from "../../services/lode.js";
import type { Principal } from "../../services/security/principal.js";
import type { OpenReader } from "../reading/open-reader.js";
import type { Places } from "./places.js";
import type { Rate } from "./rate.js";

/** What one request or message shows, and the address that it came from. */
export interface Showing {
	readonly authorization?: string;
	readonly apiKey?: string;
	readonly address: string;
}

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

export const shownBy = (headers: IncomingHttpHeaders, address: string | undefined): Showing => ({
	authorization: headers.authorization,
	apiKey: one(headers["x-api-key"]),
	address: address ?? "",
});

/** Lets in who may come in: known, within their rate and their quota. The same for requests and for sockets. */
export class Admission {
	constructor(
		private readonly open: Pick<OpenReader, "opened">,
		private readonly places: Pick<Places, "isExposed">,
		private readonly rate: Rate,
	) {}

	/** Counts as a request. @throws UNAUTHENTICATED, RATE_LIMITED, STORE_UNAVAILABLE */
	async admit(showing: Showing): Promise<ApiServices> {
		const services = await this.recognise(showing);
		await this.rate.ofPrincipal(services.principal);
		await this.open.opened().count(services.principal);
		return services;
	}

	/** The same without counting. */
	async recognise(showing: Showing): Promise<ApiServices> {
		try {
			return this.open.opened().as(await this.#authenticate(showing));
		} catch (error) {
			if (errorCode(error) === "UNAUTHENTICATED") await this.rate.ofStranger(showing.address);
			throw error;
		}
	}

	/** Whether what was let in would be still. It is asked by us, so it is no stranger's request, and no stranger's rate decides. @throws STORE_UNAVAILABLE */
	async isStillKnown(showing: Showing): Promise<boolean> {
		try {
			await this.#authenticate(showing);
			return true;
		} catch (error) {
			if (errorCode(error) === "UNAUTHENTICATED") return false;
			throw error;
		}
	}

	#authenticate({ address: _, ...credentials }: Showing): Promise<Principal> {
		return this.open.opened().authenticator.authenticate(credentials, this.places.isExposed);
	}
}
