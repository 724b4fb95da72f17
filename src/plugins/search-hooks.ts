import { z } from "zod";
import type { JsonObject } from "../domain/digest.js";
import { CHUNK_KINDS } from "../domain/mined-file.js";
import type { LodeReader } from "../services/lode.js";
import type { SearchHit, SearchQuery, SearchReport } from "../services/reports.js";
import type { HitGroup } from "../services/search/group-hits.js";
import type { LoadedPlugin } from "./hook-threads.js";
import { having, type Plugins } from "./load-plugins.js";
import type { FoundHits, HookName, PluginQuery } from "./plugin.js";

const text = (max: number) => z.string().trim().min(1).max(max);

const queryChange = z
	.strictObject({
		text: z.string().trim().max(10_000).optional(),
		group: text(200).nullable().optional(),
		kinds: z.array(z.enum(CHUNK_KINDS)).min(1).max(CHUNK_KINDS.length).nullable().optional(),
		path: text(1_000).nullable().optional(),
		limit: z.int().min(1).max(1_000).optional(),
	})
	.nullable();

const MAX_ANNOTATION = 16 * 1024;

const hitsChange = z
	.strictObject({
		hits: z
			.array(
				z.strictObject({
					index: z.int().min(0),
					annotation: z
						.record(z.string().max(200), z.unknown())
						.refine((value) => JSON.stringify(value).length <= MAX_ANNOTATION, "is too long")
						.transform((value) => value as JsonObject)
						.optional(),
				}),
			)
			.max(1_000)
			.refine((hits) => new Set(hits.map(({ index }) => index)).size === hits.length, "names a hit twice"),
	})
	.nullable();

/**
 * The use cases that read, with the search hooks of plugins around `search`. A hook that fails is left out of this search, and the answer says so
 * (`pluginProblems`). Closing it closes the plugins' threads too.
 */
export function withSearchHooks(reader: LodeReader, { plugins, threads, close }: Plugins): LodeReader {
	return {
		...reader,
		async search(asked) {
			const problems: string[] = [];
			const query = await before(asked, problems);
			const report = await reader.search(query);
			const placed = await after(query, report, problems);
			return {
				...report,
				hits: placed.map(({ hit }) => hit),
				...(report.groups && { groups: regrouped(report.groups, placed) }),
				...(problems.length > 0 && { pluginProblems: problems }),
			};
		},
		async close() {
			await Promise.all([reader.close(), close()]);
		},
	};

	async function before(asked: SearchQuery, problems: string[]): Promise<SearchQuery> {
		let query = asked;
		for (const plugin of having(plugins, "beforeSearch")) {
			const change = await ask(plugin, "beforeSearch", forPlugins(query), queryChange, problems);
			if (!change) continue;
			query = {
				...query,
				text: (query.like === undefined && change.text) || query.text,
				limit: change.limit ?? query.limit,
				group: changed(query.group, change.group),
				kinds: changed(query.kinds, change.kinds),
				path: changed(query.path, change.path),
			};
		}
		return query;
	}

	async function after(query: SearchQuery, report: SearchReport, problems: string[]): Promise<readonly Placed[]> {
		let placed: readonly Placed[] = report.hits.map((hit, was) => ({ hit, was }));
		for (const plugin of having(plugins, "afterSearch")) {
			const found: FoundHits = { query: forPlugins(query), hits: placed.map(({ hit }) => hit) };
			const there = placed.length;
			const schema = hitsChange.refine(
				(value) => value === null || value.hits.every(({ index }) => index < there),
				"names a hit that is not there",
			);
			const change = await ask(plugin, "afterSearch", found, schema, problems);
			if (!change) continue;
			const all = placed;
			placed = change.hits.map(({ index, annotation }) => {
				const { hit, was } = all[index] as Placed;
				if (annotation === undefined) return { hit, was };
				return { hit: { ...hit, annotations: { ...hit.annotations, [plugin.name]: annotation } }, was };
			});
		}
		return placed;
	}

	/** Null where it changes nothing, or failed. */
	async function ask<S extends z.ZodType>(
		plugin: LoadedPlugin,
		hook: HookName,
		input: object,
		schema: S,
		problems: string[],
	): Promise<z.output<S> | null> {
		const answer = await threads.run(plugin, hook, input, schema);
		if ("value" in answer) return answer.value;
		problems.push(`${plugin.name}: ${hook} ${answer.failure}`);
		return null;
	}
}

/** A hit, and its place before any plugin moved it. */
interface Placed {
	readonly hit: SearchHit;
	readonly was: number;
}

/** Groups name hits by their places: those that are left, where they are now, best first. */
function regrouped(groups: readonly HitGroup[], placed: readonly Placed[]): HitGroup[] {
	const now = new Map(placed.map(({ was }, at) => [was, at]));
	return groups
		.map((group) => ({ ...group, hits: group.hits.flatMap((was) => now.get(was) ?? []).sort((a, b) => a - b) }))
		.flatMap((group) => {
			const best = placed[group.hits[0] ?? -1];
			return best === undefined ? [] : [{ ...group, score: best.hit.score }];
		})
		.sort((a, b) => (a.hits[0] as number) - (b.hits[0] as number));
}

function forPlugins({ text: words, source, group, kinds, path, limit, at }: SearchQuery): PluginQuery {
	return { text: words, source, group, kinds, path, limit, at };
}

function changed<T>(present: T | undefined, change: T | null | undefined): T | undefined {
	return change === undefined ? present : (change ?? undefined);
}
