import { allEnded } from "../../domain/all-ended.js";
import { EMPTY_TALLY, sameTally, tallyOf } from "../../domain/digest.js";
import { type EntityKey, type GraphRecord, graphRecordDigest } from "../../domain/entities.js";
import { linkOrigin } from "../../domain/keys.js";
import type { OriginEntry } from "../../domain/origin-entry.js";
import type { NameCandidate } from "../../stores/graph/graph.port.js";
import type { FinishingActivities } from "../activity-types.js";
import { heartbeat } from "../heartbeat.js";
import { openIngestion } from "../planning/open-ingestion.js";
import type { Ports } from "../ports.js";
import type { VectorsAhead } from "../verification/vectors-ahead.js";
import type { WritePermits } from "./write-permits.js";

/**
 * What is written comes in an order in which most of the graph's indexes are scattered: each page touches most of their leaves, so few large pages write
 * less than many small ones. A page and the one before it, which is still being written, are in memory: with 2,000 names the link step had the worker's
 * peak, with 1,000 it stays below what files take.
 */
const NAMES_A_PAGE = 1_000;
/**
 * A name that more entities provide (`main`, `__init__`) keeps the first of them only, so that no link state grows with the
 * repository; `ambiguous` then says that there are more.
 */
const TARGETS_A_NAME = 16;

/** Of the names of its batches. */
const BATCHES = "link-";
const DONE = Promise.resolve();

const entryOf = (record: GraphRecord): OriginEntry => ({
	origin: record.origin,
	graph: tallyOf([graphRecordDigest(record)]),
	vectors: EMPTY_TALLY,
});

/** Some names, and the states that they should have, by origin. */
interface NamePage {
	readonly names: readonly EntityKey[];
	readonly wanted: ReadonlyMap<string, GraphRecord>;
}

/**
 * The link step: keeps name → definition as states of their own, and redoes them only where the candidates of a name changed. Its
 * result follows from the visible candidates alone, not from the way there.
 */
export function createLinkActivities(
	ports: Pick<Ports, "catalog" | "plugins" | "graph">,
	permits: Pick<WritePermits, "permit">,
	ahead: Pick<VectorsAhead, "begin">,
	namesAPage = NAMES_A_PAGE,
): Pick<FinishingActivities, "linkNames"> {
	const { catalog, graph } = ports;

	return {
		async linkNames(seq) {
			const permit = permits.permit();
			const { ingestion, base } = await openIngestion(ports, seq);
			const { source } = ingestion;
			ahead.begin(seq, source);
			// A pass before may have cut its pages elsewhere: it was a worker's of before, or knew other names because a store has lost some since.
			await catalog.undoBatches(seq, BATCHES);
			const read = async (after: EntityKey | undefined): Promise<NamePage> => {
				const names = await graph.touchedNames(seq, source, after, namesAPage);
				if (names.length === 0) return { names, wanted: new Map() };
				return { names, wanted: await linkStates(seq, source, base, names) };
			};
			const write = async (page: number, retired: string[], added: GraphRecord[]): Promise<void> => {
				if (retired.length > 0) await graph.retire(seq, source, retired, permit.options());
				// The graph first: where its records travel as text, their digests come from there.
				const staging = added.length === 0 ? [] : [graph.stage(seq, added, permit.options())];
				const batch = { batch: `${BATCHES}${page}`, retired, entries: added.map(entryOf) };
				await allEnded([...staging, catalog.recordBatch(seq, batch)]);
			};
			let entities = 0;
			let next: Promise<NamePage> | undefined = read(undefined);
			// A page is made while the one before it is written: no more than two are on their way.
			let [before, latest]: [Promise<void>, Promise<void>] = [DONE, DONE];
			try {
				for (let page = 0; next !== undefined; page++) {
					const { names, wanted }: NamePage = await next;
					const last = names.at(-1);
					// Link states provide no names, so that neither what is read nor what is written sees the other.
					next = last === undefined || names.length < namesAPage ? undefined : read(last);
					next?.catch(() => undefined);
					const origins = names.map(linkOrigin);
					// Before the first publication of a source there is nothing that a name could have led to.
					const known = ingestion.baseSeq === undefined ? [] : await catalog.entriesOf(base, source, origins);
					const current = new Map(known.map((entry) => [entry.origin, entry.graph]));
					const retired: string[] = [];
					const added: GraphRecord[] = [];
					for (const origin of origins) {
						const record = wanted.get(origin);
						const old = current.get(origin);
						if (old && record && sameTally(old, entryOf(record).graph)) continue;
						if (old) retired.push(origin);
						if (record) added.push(record);
					}
					if (names.length > 0) [before, latest] = [latest, write(page, retired, added)];
					latest.catch(() => undefined);
					await before;
					entities += added.length;
					heartbeat();
				}
				await latest;
				return { entities };
			} finally {
				// What was begun has ended when the step ends, also where it fails: a discard must come behind it.
				await Promise.allSettled([before, latest]);
			}
		},
	};

	async function linkStates(
		seq: number,
		source: string,
		base: Parameters<typeof graph.candidates>[2],
		names: EntityKey[],
	): Promise<NamePage["wanted"]> {
		const byName = new Map<EntityKey, NameCandidate[]>();
		for (const candidate of await graph.candidates(seq, source, base, names, TARGETS_A_NAME + 1)) {
			const known = byName.get(candidate.name);
			if (known) known.push(candidate);
			else byName.set(candidate.name, [candidate]);
		}
		const states = new Map<string, GraphRecord>();
		for (const [name, candidates] of byName) {
			// Only the best rank counts: `b.ts` hides `b/index.ts`.
			const best = candidates.filter(({ rank }) => rank === candidates[0]?.rank);
			const targets = best.slice(0, TARGETS_A_NAME).map(({ target }) => target);
			states.set(linkOrigin(name), {
				source,
				origin: linkOrigin(name),
				key: name,
				kind: "name",
				name: name.slice(name.lastIndexOf(":") + 1),
				props: best.length > TARGETS_A_NAME ? { ambiguous: true } : {},
				edges: targets.map((to) => ({ kind: "REFERENCES", to })),
				provides: [],
			});
		}
		return states;
	}
}
