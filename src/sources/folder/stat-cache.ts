import { type BigIntStats, createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { decodePath, encodePath } from "../path-name.js";

/** What the last scan knew of a file: as long as its state is the same, so is its content. */
interface Known {
	readonly path: Buffer;
	readonly state: string;
	readonly sha: string;
}

const FILE = "stat-cache";
const MAGIC = "lode-stat-cache 1";
/** Within it a file may change twice without its times telling: git's rule of racy entries. */
const RACY_NS = 2_000_000_000n;
const FLUSH_CHARS = 256 * 1024;
let temporaries = 0;

/**
 * Hashes by path and state of the file, so that a scan reads only what changed. The file is sorted by path as the scan is, so it is
 * read and written along with it, line by line: memory does not grow with the folder. Losing it costs time only.
 */
export class StatCache {
	readonly #file: string;
	/** The next cache while it is written; undefined where it is only read. */
	readonly #fresh: { readonly path: string; readonly out: FileHandle } | undefined;
	readonly #known: AsyncGenerator<Known, void, undefined>;
	/** Entries that changed after it are not remembered. */
	readonly #trustedUntilNs: bigint;
	#next: Known | undefined;
	#written = `${MAGIC}\n`;

	private constructor(file: string, fresh?: { path: string; out: FileHandle }) {
		this.#file = file;
		this.#fresh = fresh;
		this.#known = readKnown(file);
		this.#trustedUntilNs = BigInt(Date.now()) * 1_000_000n - RACY_NS;
	}

	static async open(folder: string): Promise<StatCache> {
		await mkdir(folder, { recursive: true });
		const file = path.join(folder, FILE);
		temporaries += 1;
		const temporary = `${file}.${process.pid}-${temporaries}`;
		const cache = new StatCache(file, { path: temporary, out: await open(temporary, "w") });
		await cache.#advance();
		return cache;
	}

	/** For a scan that leaves nothing: what it finds is not remembered. */
	static async openToRead(folder: string): Promise<StatCache> {
		const cache = new StatCache(path.join(folder, FILE));
		await cache.#advance();
		return cache;
	}

	/** The hash of a file in this state, if the last scan saw it. Paths come in ascending byte order. */
	async lookup(relative: Buffer, stat: BigIntStats): Promise<string | undefined> {
		while (this.#next !== undefined && Buffer.compare(this.#next.path, relative) < 0) await this.#advance();
		const known = this.#next;
		return known?.path.equals(relative) && known.state === stateOf(stat) ? known.sha : undefined;
	}

	/** Remembers a hash, unless the file is so young that a change could hide behind the same times. */
	async remember(relative: Buffer, stat: BigIntStats, sha: string): Promise<void> {
		if (this.#fresh === undefined) return;
		if (stat.mtimeNs > this.#trustedUntilNs || stat.ctimeNs > this.#trustedUntilNs) return;
		this.#written += `${JSON.stringify([encodePath(relative), stateOf(stat), sha])}\n`;
		if (this.#written.length > FLUSH_CHARS) await this.#flush();
	}

	/** Ends the scan: `complete` puts what was remembered in the old cache's place. */
	async close(complete: boolean): Promise<void> {
		await this.#known.return();
		if (this.#fresh === undefined) return;
		if (complete) await this.#flush();
		await this.#fresh.out.close();
		if (complete) await rename(this.#fresh.path, this.#file);
		else await rm(this.#fresh.path, { force: true });
	}

	async #flush(): Promise<void> {
		await this.#fresh?.out.write(this.#written);
		this.#written = "";
	}

	async #advance(): Promise<void> {
		const result = await this.#known.next();
		this.#next = result.done ? undefined : result.value;
	}
}

function stateOf(stat: BigIntStats): string {
	return `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`;
}

/** Stops at the first sign of damage, and where there is no cache: what follows is read anew. */
async function* readKnown(file: string): AsyncGenerator<Known, void, undefined> {
	const input = createReadStream(file, { encoding: "utf8" });
	const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
	let first = true;
	try {
		for await (const line of lines) {
			if (first && line !== MAGIC) return;
			if (!first) {
				const [name, state, sha] = JSON.parse(line) as [string, string, string];
				if (!/^[0-9a-f]{64}$/.test(sha)) return;
				yield { path: decodePath(name), state, sha };
			}
			first = false;
		}
	} catch {
		return;
	} finally {
		lines.close();
		input.destroy();
	}
}
