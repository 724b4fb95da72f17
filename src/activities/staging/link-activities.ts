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
import type { WritePermits } from "./write-permits.js";

const NAMES_A_PAGE = 500;
/**
 * A name that more entities provide (`main`, `__init__`) keeps the first of them only, so that no link state grows with the
 * repository; `ambiguous` then says that there are more.
 */
const TARGETS_A_NAME = 16;

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
): Pick<FinishingActivities, "linkNames"> {
	const { catalog, graph } = ports;

	return {
		async linkNames(seq) {
			const permit = permits.permit();
			const { ingestion, base } = await openIngestion(ports, seq);
			const { source } = ingestion;
			const read = async (after: EntityKey | undefined): Promise<NamePage> => {
				const names = await graph.touchedNames(seq, source, after, NAMES_A_PAGE);
				if (names.length === 0) return { names, wanted: new Map() };
				return { names, wanted: await linkStates(seq, source, base, names) };
			};
			let entities = 0;
			let next = read(undefined);
			for (let page = 0; ; page++) {
				const { names, wanted } = await next;
				const last = names.at(-1);
				if (last === undefined) return { entities };
				// While this page is written, the next one is read: link states provide no names, so that neither sees the other.
				next = read(last);
				next.catch(() => undefined);
				const origins = names.map(linkOrigin);
				// Before the first publication of a source there is nothing that a name could have led to.
				const known = ingestion.baseSeq === undefined ? [] : await catalog.entriesOf(base, source, origins);
				const current = new Map(known.map((entry) => [entry.origin, entry.graph]));
				const retired: string[] = [];
				const added: GraphRecord[] = [];
				const entries: OriginEntry[] = [];
				for (const origin of origins) {
					const record = wanted.get(origin);
					const before = current.get(origin);
					const after = record ? tallyOf([graphRecordDigest(record)]) : EMPTY_TALLY;
					if (sameTally(before ?? EMPTY_TALLY, after)) continue;
					if (before) retired.push(origin);
					if (!record) continue;
					added.push(record);
					entries.push({ origin, graph: after, vectors: EMPTY_TALLY });
				}
				if (retired.length > 0) await graph.retire(seq, source, retired, permit.options());
				await allEnded([
					graph.stage(seq, added, permit.options()),
					catalog.recordBatch(seq, { batch: `link-${page}`, retired, entries }),
				]);
				entities += added.length;
				heartbeat();
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
