import { rankAgreement } from "../../domain/rank-agreement.js";
import type { EventStore, StoredEvent } from "../../stores/events/events.port.js";
import { parseSince } from "../at.js";
import type { SearchQuery, SearchReplayReport, SearchReport } from "../reports.js";
import { parseHitId } from "./hit-id.js";
import { SEARCH_QUERY_RECEIVED, SEARCH_RESULTS_GENERATED, searchStream } from "./search-events.js";

export interface ReplayOptions {
	/** ISO 8601; without it the last seven days. */
	readonly since?: string;
	/** A snapshot number, an ISO 8601 time, or a commit; without it the newest. */
	readonly at?: string;
	/** Only chunks of groups with this embedding model. */
	readonly model?: string;
	/** The newest so many searches. */
	readonly limit: number;
}

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 7;
/** Further back there is nothing to be asked day by day. */
const MAX_DAYS = 366;
const PAGE = 500;

interface Logged {
	readonly search: string;
	readonly receivedAt: string;
	readonly query: SearchQuery;
	readonly snapshot: number;
	readonly model: string;
	readonly ids: readonly string[];
	readonly hits: number;
}

/**
 * Runs searches that were logged against another snapshot or model, and says how their answers differ. It logs nothing itself. Searches whose
 * text is not in the events, or that got no answer, are counted and left out. @throws USAGE, and what the first search throws that is no
 * longer possible for every one (SNAPSHOT_NOT_FOUND …)
 */
export async function replaySearches(
	events: Pick<EventStore, "read">,
	search: (query: SearchQuery) => Promise<SearchReport>,
	options: ReplayOptions,
): Promise<SearchReplayReport> {
	const now = Date.now();
	const since =
		options.since === undefined ? new Date(now - DEFAULT_DAYS * DAY_MS).toISOString() : parseSince(options.since);
	const { logged, withoutText, withoutAnswer } = await readLogged(events, since, now);
	const chosen = logged.slice(-options.limit);
	const searches: SearchReplayReport["searches"][number][] = [];
	const failed: { search: string; code: string }[] = [];
	for (const { search: id, receivedAt, query, snapshot, model, ids, hits } of chosen) {
		const { at: _, ...asked } = query;
		// As many as are known of the first answer, so that both lists have the same chance.
		const limit = Math.max(1, Math.min(query.limit, hits > ids.length ? ids.length : query.limit));
		const again = { ...asked, limit, at: options.at, ...(options.model && { model: options.model }) };
		let report: SearchReport;
		try {
			report = await search({ ...again, context: false, provenance: false });
		} catch (error) {
			failed.push({ search: id, code: String((error as { code?: unknown }).code ?? "INTERNAL") });
			continue;
		}
		const after = report.hits.map((hit) => hit.id);
		const before = ids.slice(0, Math.max(limit, after.length));
		searches.push({
			search: id,
			receivedAt,
			text: query.like ?? query.text,
			before: { snapshot, model, hits },
			after: { snapshot: report.snapshot, model: report.model, hits: report.hits.length },
			...rankAgreement(before, after),
			files: rankAgreement(filesOf(before), filesOf(after)),
			gained: after.filter((one) => !before.includes(one)),
			lost: before.filter((one) => !after.includes(one)),
		});
	}
	const mean = (values: readonly number[]) =>
		values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
	return {
		since,
		replayed: searches.length,
		changed: searches.filter(({ overlap, correlation }) => overlap < 1 || (correlation ?? 1) < 1).length,
		overlap: mean(searches.map(({ overlap }) => overlap)),
		correlation: mean(searches.flatMap(({ correlation }) => correlation ?? [])),
		fileOverlap: mean(searches.map(({ files }) => files.overlap)),
		leftOut: { withoutText, withoutAnswer, older: logged.length - chosen.length },
		failed,
		searches,
	};
}

async function readLogged(events: Pick<EventStore, "read">, since: string, now: number) {
	const first = Math.max(Date.parse(since), now - MAX_DAYS * DAY_MS);
	const received = new Map<string, { receivedAt: string; query: SearchQuery | undefined }>();
	const answered = new Map<string, StoredEvent["data"]>();
	for (let day = first; searchStream(iso(day)) <= searchStream(iso(now)); day += DAY_MS) {
		for await (const { type, data } of readAll(events, searchStream(iso(day)))) {
			const id = String(data.search);
			if (type === SEARCH_QUERY_RECEIVED && String(data.receivedAt) >= since) {
				received.set(id, { receivedAt: String(data.receivedAt), query: queryOf(data) });
			} else if (type === SEARCH_RESULTS_GENERATED) answered.set(id, data);
		}
	}
	const logged: Logged[] = [];
	let [withoutText, withoutAnswer] = [0, 0];
	for (const [search, { receivedAt, query }] of received) {
		const answer = answered.get(search);
		if (query === undefined) withoutText += 1;
		else if (answer === undefined) withoutAnswer += 1;
		else {
			const { snapshot, model, ids, hits } = answer;
			logged.push({
				...{ search, receivedAt, query, snapshot: Number(snapshot), model: String(model), hits: Number(hits) },
				ids: Array.isArray(ids) ? ids.map(String) : [],
			});
		}
	}
	// By the moment they came: events of one day may be written by several processes.
	logged.sort((a, b) => (a.receivedAt < b.receivedAt ? -1 : a.receivedAt > b.receivedAt ? 1 : 0));
	return { logged, withoutText, withoutAnswer };
}

const iso = (time: number): string => new Date(time).toISOString();

async function* readAll(events: Pick<EventStore, "read">, stream: string): AsyncGenerator<StoredEvent> {
	for (let version = 1; ; version += PAGE) {
		const page = await events.read(stream, version, PAGE);
		yield* page;
		if (page.length < PAGE) return;
	}
}

/** Undefined where the events do not say what was asked. */
function queryOf({ userData, query }: StoredEvent["data"]): SearchQuery | undefined {
	return userData === "full" && typeof query === "object" && query !== null
		? (query as unknown as SearchQuery)
		: undefined;
}

function filesOf(ids: readonly string[]): string[] {
	return [
		...new Set(
			ids.map((id) => {
				const place = parseHitId(id);
				return place === undefined ? id : `${place.source}:${place.path}`;
			}),
		),
	];
}
