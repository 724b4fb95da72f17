import type { Stores } from "../../src/activities/ports.js";
import { type ApiOptions, createApi } from "../../src/api/create-api.js";
import type { HttpServer } from "../../src/api/http-server.js";
import type { Config } from "../../src/config/config.js";
import type { Metrics } from "../../src/observability/metrics/metrics.js";
import type { ApiServices, OpenedServices } from "../../src/services/lode.js";
import { LOCAL } from "../../src/services/security/principal.js";
import { openApiServices } from "../../src/wiring.js";
import type { LodeInstance } from "./lode-instance.js";

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every form.
type Answer = any;

export interface GraphqlAnswer {
	readonly status: number;
	readonly data: Answer;
	readonly errors?: readonly { readonly message: string; readonly extensions: Answer }[];
}

/** The API over a Lode in this process, listening on a free port. */
export class ApiInstance {
	readonly log: Readonly<Record<string, unknown>>[] = [];

	private constructor(private server: HttpServer) {}

	static async open(
		lode: Pick<LodeInstance, "config" | "address">,
		options: {
			/** Instead of those over the instance's stores: for everybody the same. */
			readonly services?: () => Promise<ApiServices>;
			readonly explorer?: boolean;
			readonly metrics?: Metrics;
			/** Over the instance's settings. */
			readonly api?: Partial<Omit<ApiOptions, "open" | "log">>;
			readonly config?: Partial<Config>;
		} = {},
	): Promise<ApiInstance> {
		const log: ApiInstance["log"] = [];
		const server = await createApi({
			host: "127.0.0.1",
			port: 0,
			allowAnonymous: false,
			explorer: options.explorer,
			metrics: options.metrics,
			...options.api,
			open: options.services
				? async () => toEverybody(await (options.services as () => Promise<ApiServices>)())
				: () =>
						openApiServices(
							{
								...lode.config,
								temporal: { ...lode.config.temporal, address: lode.address },
								...options.config,
							},
							options.metrics,
						),
			log: (line) => log.push(line),
		});
		const api = new ApiInstance(server);
		for (const line of log) api.log.push(line);
		for (;;) {
			if ((await fetch(`${server.url}/health/ready`)).status === 200) return api;
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	get url(): string {
		return this.server.url;
	}

	async graphql(query: string, variables: Record<string, unknown> = {}): Promise<GraphqlAnswer> {
		const response = await fetch(`${this.url}/graphql`, {
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify({ query, variables }),
		});
		return { status: response.status, ...((await response.json()) as Omit<GraphqlAnswer, "status">) };
	}

	/** The answer's data. Throws with the errors where there are any. */
	async data(query: string, variables: Record<string, unknown> = {}): Promise<Answer> {
		const { data, errors } = await this.graphql(query, variables);
		if (errors) throw new Error(JSON.stringify(errors));
		return data;
	}

	close(): Promise<void> {
		return this.server.close();
	}
}

const toEverybody = (services: ApiServices): OpenedServices => ({
	as: () => services,
	authenticator: { authenticate: async () => LOCAL, required: async () => false, possible: async () => false },
	count: async () => undefined,
	close: services.close,
});

/** Stores that count the questions that readers ask, by store and method. */
export function countingStores(stores: Stores): { stores: Stores; counts: Map<string, number> } {
	const counts = new Map<string, number>();
	const counting = <T extends object>(name: string, store: T): T =>
		new Proxy(store, {
			get(target, property) {
				const value = Reflect.get(target, property) as unknown;
				if (typeof value !== "function") return value;
				return (...args: unknown[]) => {
					const call = `${name}.${String(property)}`;
					counts.set(call, (counts.get(call) ?? 0) + 1);
					return value.apply(target, args);
				};
			},
		});
	const { catalog, events, graph, vectors, artifacts } = stores;
	return {
		counts,
		stores: {
			catalog: counting("catalog", catalog),
			events: counting("events", events),
			graph: counting("graph", graph),
			vectors: counting("vectors", vectors),
			artifacts: counting("artifacts", artifacts),
		},
	};
}
