import type { Catalog, Ingestion } from "../../../src/stores/catalog/catalog.port.js";
import type { TestRepository } from "../../support/git-repository.js";
import type { Acknowledged } from "./sending.js";

export interface FollowedSource {
	readonly id: string;
	readonly repository: TestRepository;
}

/** Of all sources together. A commit's effect is its publication: one ingestion that was published. */
export interface Effects {
	/** Receipts that were answered with 200. */
	readonly accepted: number;
	/** Commits that they tell of. */
	readonly commits: number;
	/** Those of them that were published once. */
	readonly effects: number;
	/** Those that a fault for good had parked, and that a later commit of the source made visible. */
	readonly covered: number;
	readonly lost: number;
	/** Publications beyond the first one of a commit, of any commit. */
	readonly doubled: number;
	/** Published after a commit that follows it, or left out without having been parked. */
	readonly disordered: readonly string[];
	readonly published: readonly Ingestion[];
	/** What is neither published nor given up in order. */
	readonly unfinished: readonly Ingestion[];
}

const ALL = 1_000_000;

/** Oldest first. */
export async function logOf({ repository }: FollowedSource): Promise<string[]> {
	return (await repository.git("log", "--reverse", "--format=%H", "main")).split("\n");
}

export async function publishedOf(catalog: Catalog, source: string): Promise<Ingestion[]> {
	return (await catalog.ingestions({ source, status: ["published"], limit: ALL })).sort((a, b) => a.seq - b.seq);
}

/** How far each source has to be published: the newest commit that an accepted receipt tells of, or all. 0 is the first commit. */
export function targets(
	logs: readonly (readonly string[])[],
	commits: readonly { readonly source: number; readonly id: string }[],
	acknowledged: Iterable<Acknowledged>,
	all: boolean,
): number[] {
	if (all) return logs.map((log) => log.length - 1);
	const last = logs.map(() => 0);
	for (const { commit } of acknowledged) {
		const { source, id } = commits[commit] as { source: number; id: string };
		last[source] = Math.max(last[source] as number, (logs[source] as readonly string[]).indexOf(id));
	}
	return last;
}

/** What the catalog says became of everything that was accepted. */
export async function account(
	catalog: Catalog,
	sources: readonly FollowedSource[],
	commits: readonly { readonly source: number; readonly id: string }[],
	acknowledged: ReadonlyMap<string, Acknowledged>,
): Promise<Effects> {
	const disordered: string[] = [];
	// Two sources may hold the same commit.
	const times = new Map<string, number>();
	const covered = new Set<string>();
	const published: Ingestion[] = [];
	const unfinished: Ingestion[] = [];
	for (const source of sources) {
		const log = await logOf(source);
		const ingestions = await catalog.ingestions({ source: source.id, limit: ALL });
		unfinished.push(...ingestions.filter(({ status }) => status === "staging" || status === "aborted"));
		const ours = await publishedOf(catalog, source.id);
		published.push(...ours);
		const places = ours.map(({ commit }) => log.indexOf(commit));
		const named = (commit: string) => `${source.id} ${commit}`;
		for (const { commit } of ours) times.set(named(commit), (times.get(named(commit)) ?? 0) + 1);
		places.forEach((place, at) => {
			if (place <= (places[at - 1] ?? -1))
				disordered.push(`${source.id}: commit ${place} was published after ${places[at - 1]}`);
		});
		const tried = new Set(ingestions.map(({ commit }) => commit));
		for (const commit of log.slice(0, Math.max(...places) + 1).filter((one) => !times.has(named(one)))) {
			if (tried.has(commit)) covered.add(named(commit));
			else disordered.push(`${source.id}: commit ${log.indexOf(commit)} was left out`);
		}
	}
	const nameOf = ({ source, id }: { readonly source: number; readonly id: string }) => `${sources[source]?.id} ${id}`;
	const wanted = new Set(
		[...acknowledged.values()].map(({ commit }) => nameOf(commits[commit] as (typeof commits)[number])),
	);
	const count = (is: (commit: string) => boolean) => [...wanted].filter(is).length;
	return {
		accepted: new Set([...acknowledged.values()].map(({ receipt }) => receipt)).size,
		commits: wanted.size,
		effects: count((commit) => times.get(commit) === 1),
		covered: count((commit) => covered.has(commit)),
		lost: count((commit) => !times.has(commit) && !covered.has(commit)),
		doubled: [...times.values()].reduce((sum, one) => sum + one - 1, 0),
		disordered,
		published,
		unfinished,
	};
}
