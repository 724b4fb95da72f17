import { Context } from "@temporalio/activity";
import { type ChunkPlan, chunkPlans } from "../../domain/chunk-plans.js";
import type { Group } from "../../domain/group.js";
import { originPath } from "../../domain/keys.js";
import type { MinedFile } from "../../domain/mined-file.js";
import { minedKey } from "../../mining/mine-file.js";
import { decodeMinedFile, encodeMinedFile } from "../../mining/mined-file-codec.js";
import type { OriginEntry, Source } from "../../stores/catalog/catalog.port.js";
import { ModelTexts } from "../embedding/model-texts.js";
import type { Ports } from "../ports.js";

/** A page is one activity; what it did until it was stopped is in the caches when it is repeated. */
const ENTRIES_A_PAGE = 512;
/** Files in memory at once. */
const FILES_A_SLICE = 32;

export interface WarmPage {
	readonly seq: number;
	readonly added: boolean;
	readonly after: string | null;
}

interface FileOfSource {
	readonly path: string;
	readonly file: NonNullable<OriginEntry["file"]>;
}

/** Mines archived files by other groups than they were ingested by, and embeds their chunks. Writes nothing but caches. */
export function createWarmer(
	ports: Pick<
		Ports,
		"catalog" | "plugins" | "artifacts" | "miner" | "provider" | "embeddingCache" | "limits" | "ensureRoom"
	>,
) {
	const { catalog, artifacts } = ports;

	async function entriesOf(source: string, { seq, added, after }: WarmPage): Promise<OriginEntry[]> {
		const from = after ?? undefined;
		if (added) return catalog.changedEntries(seq, "added", from, ENTRIES_A_PAGE);
		const ingestion = await catalog.ingestion(`ing-${seq}`);
		if (ingestion?.snapshot === undefined) return [];
		// Not of this source's horizon: what was collected meanwhile is seen as changed later.
		const snapshot = await catalog.snapshot({ by: "number", number: ingestion.snapshot }, []);
		return catalog.entries(snapshot, source, from, ENTRIES_A_PAGE);
	}

	/** The file as it is mined by one plan; undefined where its bytes are gone, so that the ingestion has to read them itself. */
	async function minedBy(
		plan: ChunkPlan,
		source: Source,
		{ path, file }: FileOfSource,
		bytes: () => Promise<Uint8Array | undefined>,
	) {
		const key = minedKey(
			`${source.kind}:${file.blob}`,
			path,
			file.mode,
			source.id,
			plan.settings,
			ports.plugins?.of(path),
		);
		const known = await artifacts.getDerived(key);
		const decoded = known && decodeMinedFile(known);
		// As in mining: why a plugin failed may be gone.
		if (decoded && !decoded.skips.some(({ reason }) => reason === "plugin")) return decoded;
		const content = await bytes();
		if (content === undefined) return undefined;
		const input = { source: source.id, path, mode: file.mode, bytes: content };
		const [mined] = await ports.miner.mine([input], plan.settings, Context.current().cancellationSignal);
		if (mined) await artifacts.putDerived(key, encodeMinedFile(mined));
		return mined;
	}

	async function warmFile(
		plans: readonly ChunkPlan[],
		source: Source,
		one: FileOfSource,
		texts: ModelTexts,
	): Promise<void> {
		const { path, file } = one;
		// Beyond the limit there is nothing to mine, and links and submodules have no chunks.
		if (file.mode === "submodule" || file.mode === "symlink" || file.size > ports.limits.maxFileBytes) return;
		let read: Promise<Uint8Array | undefined> | undefined;
		const bytes = () => (read ??= artifacts.get(file.artifact));
		for (const plan of plans) {
			const selecting = plan.groups.filter(({ selects }) => selects(path));
			if (selecting.length === 0 && !plan.wants(path)) continue;
			const mined: MinedFile | undefined = await minedBy(plan, source, one, bytes);
			for (const { group } of selecting) if (mined) texts.add(group.indexing.model, mined);
		}
	}

	return async (source: Source, groups: readonly Group[], page: WarmPage) => {
		const context = Context.current();
		const plans = chunkPlans(groups);
		const entries = await entriesOf(source.id, page);
		const files = entries.flatMap(({ origin, file }) => {
			const path = originPath(origin);
			return path === undefined || !file ? [] : [{ path, file }];
		});
		const counts = { files: files.length, embedded: 0, reused: 0 };
		for (let at = 0; at < files.length; at += FILES_A_SLICE) {
			context.cancellationSignal.throwIfAborted();
			const slice = files.slice(at, at + FILES_A_SLICE);
			await ports.ensureRoom?.();
			const texts = new ModelTexts();
			await Promise.all(slice.map((one) => warmFile(plans, source, one, texts)));
			const { embedded, reused } = await texts.embed(ports, { signal: context.cancellationSignal });
			counts.embedded += embedded;
			counts.reused += reused;
			context.heartbeat();
		}
		return { ...counts, after: entries.length < ENTRIES_A_PAGE ? null : (entries.at(-1)?.origin ?? null) };
	};
}
