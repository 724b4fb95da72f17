import { errorCode, LodeError } from "../../domain/errors.js";
import { fileOrigin } from "../../domain/keys.js";
import { EMPTY_SNAPSHOT, type Snapshot } from "../../domain/snapshot.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import type { Catalog, Head, Ingestion, Source } from "../../stores/catalog/catalog.port.js";
import type { EventStore } from "../../stores/events/events.port.js";
import type { GraphScope, GraphStore } from "../../stores/graph/graph.port.js";
import { numberedAt, parseAt } from "../at.js";
import { groupsOfSource } from "../groups/group-report.js";
import type { LodeReader } from "../lode.js";
import { findEntity } from "../reading/find-entity.js";
import { matchSource } from "../reading/match-source.js";
import { older, whileKept } from "../reading/scope.js";
import { type Plugins, readableSources } from "../recipe.js";
import type { IngestProgress, Waiting } from "../reports.js";
import { impact, lineage } from "../traversal/dependencies.js";
import { findPaths } from "../traversal/paths.js";
import { eventPage, followEvents, lastPosition } from "./event-pages.js";
import { archivedFile, filePage, ingestionPage } from "./listings.js";
import type { LodeView, LodeViews } from "./lode-view.js";
import { numberedCursor, pageOf } from "./page.js";

export interface ViewPorts {
	readonly catalog: Catalog;
	readonly graph: GraphStore;
	readonly artifacts: Pick<ArtifactStore, "getStream">;
	readonly events: Pick<EventStore, "read" | "readAll" | "latest">;
	readonly reader: Pick<LodeReader, "search">;
	/** As the workers have them. */
	readonly plugins?: Plugins;
	readonly progress: (ingestion: Ingestion) => Promise<IngestProgress | undefined>;
	readonly waiting: (ingestion: Ingestion) => Promise<Waiting[]>;
	/** Where the Temporal Web UI is, while it runs. */
	readonly temporalUi: () => Promise<string | null>;
	readonly namespace: string;
}

/** An entity list is read from its beginning: this far. */
const MOST_ENTITIES = 10_000;

export function createViews(ports: ViewPorts): LodeViews {
	const { catalog, artifacts, events } = ports;

	return {
		async open({ at, source: wanted, live = false } = {}) {
			const sources = await readableSources(catalog);
			// A commit may be in two sources: the one that the question is about counts.
			const source = wanted === undefined ? undefined : sources.find(({ id }) => id === wanted)?.id;
			const snapshot = await catalog.snapshot(parseAt(at, source), []).catch((error: unknown) => {
				if (errorCode(error) === "NOTHING_PUBLISHED" && at === undefined) return EMPTY_SNAPSHOT;
				throw error;
			});
			return new View(ports, snapshot, sources, at !== undefined && !live);
		},

		async content(object) {
			const content = await artifacts.getStream(object);
			if (content) return content;
			throw new LodeError("ARTIFACT_NOT_FOUND", `the archive has no object ${object}`, { next: "lode verify" });
		},

		async progress(ingestion) {
			if (ingestion.status !== "staging" && ingestion.status !== "aborted") return undefined;
			const [progress, waiting] = await Promise.all([ports.progress(ingestion), ports.waiting(ingestion)]);
			return { progress, waiting };
		},

		ingestion: (id) => requireIngestion(catalog, id),

		async workflowUrl(workflowId, runId) {
			const base = await ports.temporalUi();
			if (base === null) return null;
			const place = `${base.replace(/\/+$/, "")}/namespaces/${encodeURIComponent(ports.namespace)}/workflows`;
			return `${place}/${encodeURIComponent(workflowId)}${runId === undefined ? "" : `/${runId}/history`}`;
		},

		async *follow(filter, after, signal) {
			yield* followEvents(events, filter, after ?? (await lastPosition(events)), signal);
		},
	};
}

async function requireIngestion(catalog: Pick<Catalog, "ingestion">, id: string): Promise<Ingestion> {
	const ingestion = await catalog.ingestion(id);
	if (ingestion) return ingestion;
	throw new LodeError("INGESTION_NOT_FOUND", `there is no ingestion ${id}`, { next: "list them with: lode status" });
}

class View implements LodeView {
	readonly #scopes = new Map<string | undefined, Promise<Required<GraphScope>>>();
	#heads: Promise<ReadonlyMap<string, Head>> | undefined;

	constructor(
		private readonly ports: ViewPorts,
		readonly snapshot: Snapshot,
		private readonly known: readonly Source[],
		readonly timeTravel: boolean,
	) {}

	sources(): readonly Source[] {
		return this.known;
	}

	source(wanted: string): Source {
		return matchSource(this.known, wanted);
	}

	/** Each scope is looked at once in a request: that retention still keeps the snapshot of its sources. */
	#scope(wanted: string | undefined): Promise<Required<GraphScope>> {
		const source = wanted === undefined ? undefined : this.source(wanted).id;
		let scope = this.#scopes.get(source);
		if (scope === undefined) {
			scope = this.#kept(source === undefined ? this.known.map(({ id }) => id) : [source]);
			this.#scopes.set(source, scope);
		}
		return scope;
	}

	async #kept(sources: readonly string[]): Promise<Required<GraphScope>> {
		const { snapshot } = this;
		if (snapshot.number > 0 && sources.length > 0) {
			await this.ports.catalog.snapshot({ by: "number", number: snapshot.number }, sources);
		}
		return { snapshot, sources };
	}

	/** What the latest version answers cannot go so soon: the grace period keeps it. */
	async #read<T>(wanted: string | undefined, answer: (scope: Required<GraphScope>) => Promise<T>): Promise<T> {
		const scope = await this.#scope(wanted);
		return this.timeTravel ? whileKept(this.ports.catalog, scope, () => answer(scope)) : answer(scope);
	}

	/** One question for all sources, however many are asked for. */
	async head(source: string): Promise<Head | undefined> {
		this.#heads ??= this.ports.catalog.heads(
			this.snapshot,
			this.known.map(({ id }) => id),
		);
		return (await this.#heads).get(source);
	}

	async groups(wanted: string) {
		const { catalog, plugins } = this.ports;
		return groupsOfSource(catalog, this.source(wanted).id, plugins);
	}

	async snapshots(...[wanted, page]: Parameters<LodeView["snapshots"]>) {
		const { items, more } = await this.ingestions({ source: wanted, status: ["published"] }, page);
		return {
			items: items.map(({ cursor, item: ingestion }) => {
				const { snapshot: number = 0, endedAt: publishedAt = ingestion.startedAt } = ingestion;
				return { cursor, item: { number, publishedAt, ingestion } };
			}),
			more,
		};
	}

	async ingestions(
		{ source, status }: Parameters<LodeView["ingestions"]>[0],
		page: Parameters<LodeView["ingestions"]>[1],
	) {
		const id = source === undefined ? undefined : this.source(source).id;
		return ingestionPage(this.ports.catalog, { source: id, status }, page, this.timeTravel ? this.snapshot : undefined);
	}

	ingestion(id: string) {
		return requireIngestion(this.ports.catalog, id);
	}

	async entity(keyOrName: string, source?: string) {
		return this.#read(source, (scope) => findEntity(this.ports.graph, scope, keyOrName));
	}

	async entities({ source, ...query }: Parameters<LodeView["entities"]>[0], page: Parameters<LodeView["entities"]>[1]) {
		const skip = numberedCursor(page.after, MOST_ENTITIES) ?? 0;
		const limit = skip + page.first + 1;
		const found = await this.#read(source, (scope) => this.ports.graph.entities(scope, { ...query, limit }));
		return pageOf(found.slice(skip), page.first, (_, index) => String(skip + index + 1));
	}

	async entitiesByKey(keys: readonly string[], source?: string) {
		return this.#read(source, (scope) => this.ports.graph.entitiesByKey(scope, keys));
	}

	async neighbours(...[keys, options, source]: Parameters<LodeView["neighbours"]>) {
		return this.#read(source, (scope) => this.ports.graph.neighbours(scope, { keys, ...options }));
	}

	async paths(...[{ from, to }, steps, bounds, source]: Parameters<LodeView["paths"]>) {
		const { graph } = this.ports;
		return this.#read(source, async (scope) => {
			const [start, end] = await Promise.all([from, to].map((one) => findEntity(graph, scope, one)));
			const ends = { from: start?.entity.key ?? from, to: end?.entity.key ?? to };
			return findPaths(graph, scope, ends, steps, bounds);
		});
	}

	async lineage(...[entity, direction, bounds, source]: Parameters<LodeView["lineage"]>) {
		const { graph } = this.ports;
		return this.#read(source, async (scope) => {
			const start = (await findEntity(graph, scope, entity)).entity.key;
			return lineage(graph, scope, start, direction, bounds);
		});
	}

	async impact(...[entity, bounds, source]: Parameters<LodeView["impact"]>) {
		const { graph } = this.ports;
		return this.#read(source, async (scope) => {
			const start = (await findEntity(graph, scope, entity)).entity.key;
			return impact(graph, scope, start, bounds);
		});
	}

	async search(query: Parameters<LodeView["search"]>[0]) {
		const { number } = this.snapshot;
		const report = await this.ports.reader.search({ ...query, at: number === 0 ? undefined : numberedAt(number) });
		// What is published since belongs to the next request.
		if (number === 0)
			throw new LodeError("NOTHING_PUBLISHED", "nothing is ingested yet", { next: "lode ingest PATH_OR_URL" });
		return report;
	}

	async diff(...[wanted, from, to, page]: Parameters<LodeView["diff"]>) {
		const source = this.source(wanted).id;
		const [before, after] = await Promise.all([this.#state(source, from), this.#state(source, to)]);
		const { catalog, graph } = this.ports;
		const first = older(before.snapshot, after.snapshot);
		const found = await whileKept(catalog, { snapshot: first, sources: [source] }, () =>
			graph.changes(source, before.snapshot, after.snapshot, page.after, page.first + 1),
		);
		return {
			source,
			from: before.commit,
			to: after.commit,
			...pageOf(found, page.first, ({ key }) => key),
		};
	}

	async #state(source: string, at: string | undefined): Promise<{ snapshot: Snapshot; commit: string }> {
		const { catalog } = this.ports;
		const snapshot =
			at === undefined ? (await this.#scope(source)).snapshot : await catalog.snapshot(parseAt(at, source), [source]);
		const head = await catalog.head(snapshot, source);
		if (head) return { snapshot, commit: head.commit };
		throw new LodeError("NOTHING_PUBLISHED", `nothing of ${source} was published at ${at ?? snapshot.number}`, {
			next: "lode status",
		});
	}

	async files(...[wanted, folder, page]: Parameters<LodeView["files"]>) {
		const { id } = this.source(wanted);
		return this.#read(id, ({ snapshot }) => filePage(this.ports.catalog, snapshot, id, folder, page));
	}

	async file(wanted: string, path: string) {
		const { id } = this.source(wanted);
		return this.#read(id, async ({ snapshot }) => {
			const [entry] = await this.ports.catalog.entriesOf(snapshot, id, [fileOrigin(path)]);
			const file = entry && archivedFile(id, entry);
			if (file) return file;
			throw new LodeError("ARTIFACT_NOT_FOUND", `${id} has no file ${path} in snapshot ${snapshot.number}`, {
				next: "Look for it among its artifacts.",
			});
		});
	}

	async events({ source, ...filter }: Parameters<LodeView["events"]>[0], page: Parameters<LodeView["events"]>[1]) {
		// Events outlive their source: an id that is known no more is as good.
		const id = source === undefined ? undefined : (this.known.find((one) => one.id === source)?.id ?? source);
		const until = this.timeTravel ? this.snapshot.publishedAt : undefined;
		return eventPage(this.ports.events, { ...filter, source: id }, page, until);
	}
}
