import DataLoader from "dataloader";
import type { EdgeKind, Entity, EntityKey } from "../../domain/entities.js";
import type { LodeError } from "../../domain/errors.js";
import type { ApiServices } from "../../services/lode.js";
import type { Ingestion, LodeView, LodeViews, Neighbour } from "../../services/viewing/lode-view.js";
import { within } from "./relay.js";
import type { Wish } from "./wish.js";

export interface NeighbourOptions {
	/** The sources that the entity was found in; all where undefined. */
	readonly source?: string;
	readonly direction: "out" | "in";
	readonly kinds?: readonly EdgeKind[];
	readonly limit: number;
}

/** What one operation reads: one snapshot, and questions to the stores that are put together. */
export class RequestRead {
	#view: Promise<LodeView> | undefined;
	readonly #progress = new Map<string, ReturnType<LodeViews["progress"]>>();
	readonly #loaders = new Map<string, DataLoader<string, unknown>>();

	constructor(
		readonly services: ApiServices,
		private readonly wished: { readonly wish: Wish } | { readonly problem: LodeError },
	) {}

	/** The one view of the request, taken when it is first asked for. @throws USAGE, SNAPSHOT_NOT_FOUND, TIMEOUT */
	view(): Promise<LodeView> {
		this.#view ??= this.#open();
		return this.#view;
	}

	async #open(): Promise<LodeView> {
		if ("problem" in this.wished) throw this.wished.problem;
		const { at, live, source, minVisibility, visibilityTimeout = 10 } = this.wished.wish;
		const { views, commands } = this.services;
		for (const token of minVisibility) {
			await commands.awaitVisible(token, within("visibilityTimeout", visibilityTimeout, 0, 60) * 1_000);
		}
		return views.open({ at, source, live });
	}

	/** Entities by key; undefined where the snapshot has none of that key. */
	entities(source?: string): DataLoader<EntityKey, Entity | undefined> {
		return this.#loader(`entities ${source ?? ""}`, async (keys) => {
			const found = await (await this.view()).entitiesByKey(keys, source);
			const byKey = new Map(found.map((entity) => [entity.key, entity]));
			return keys.map((key) => byKey.get(key));
		});
	}

	neighbours(options: NeighbourOptions): DataLoader<EntityKey, readonly Neighbour[]> {
		const { source, direction, kinds, limit } = options;
		return this.#loader(`neighbours ${source ?? ""} ${direction} ${kinds?.join() ?? "*"} ${limit}`, async (keys) => {
			const found = await (await this.view()).neighbours(keys, { direction, kinds, limit }, source);
			const ofKey = new Map<EntityKey, Neighbour[]>(keys.map((key) => [key, []]));
			for (const edge of found) ofKey.get(direction === "out" ? edge.from : edge.to)?.push(edge);
			return keys.map((key) => ofKey.get(key) ?? []);
		});
	}

	/** How far an ingestion is: its workflow is asked once in a request, whichever fields need it. */
	progress(ingestion: Ingestion): ReturnType<LodeViews["progress"]> {
		let progress = this.#progress.get(ingestion.id);
		if (progress === undefined) {
			progress = this.services.views.progress(ingestion);
			this.#progress.set(ingestion.id, progress);
		}
		return progress;
	}

	#loader<T>(name: string, load: (keys: readonly string[]) => Promise<T[]>): DataLoader<string, T> {
		let loader = this.#loaders.get(name) as DataLoader<string, T> | undefined;
		if (loader === undefined) {
			loader = new DataLoader<string, T>(load, { maxBatchSize: 500 });
			this.#loaders.set(name, loader as DataLoader<string, unknown>);
		}
		return loader;
	}
}
