import { LodeError } from "../../../domain/errors.js";
import type { Seq } from "../../../domain/snapshot.js";
import { readObject } from "./read-object.js";
import type { S3Client } from "./s3-client.js";
import { isRefused } from "./s3-errors.js";

/** All seqs up to `upTo` are closed, but those in `except`. */
interface Mark {
	readonly upTo: Seq;
	readonly except: readonly Seq[];
}

const NAME = "closed-below.json";
const NOTHING: Mark = { upTo: 0, except: [] };

/** Up to which seq an installation's roots are closed: one object, so that it does not grow with the number of ingestions. */
export class S3ClosedSeqs {
	constructor(private readonly client: S3Client) {}

	async read(): Promise<Mark> {
		return (await this.#read()).mark;
	}

	/** @throws SEQ_CLOSED */
	async assertOpen(seq: Seq): Promise<void> {
		if (isClosed(await this.read(), seq)) throw closedSeq(seq);
	}

	/** Closes every seq up to `upTo` but those in `open`. What is closed already stays so. Returns what is closed now. */
	async closeUpTo(upTo: Seq, open: readonly Seq[]): Promise<Mark> {
		for (;;) {
			const { mark, etag } = await this.#read();
			const stillOpen = new Set(open);
			const except = [
				...mark.except.filter((seq) => seq > upTo || stillOpen.has(seq)),
				...open.filter((seq) => seq > mark.upTo && seq <= upTo),
			];
			const next: Mark = { upTo: Math.max(mark.upTo, upTo), except: [...new Set(except)].sort((a, b) => a - b) };
			if (next.upTo === mark.upTo && next.except.length === mark.except.length) return mark;
			if (await this.#write(next, etag)) return next;
		}
	}

	async #read(): Promise<{ mark: Mark; etag: string | undefined }> {
		const found = await readObject(this.client, NAME, NAME);
		if (found === undefined) return { mark: NOTHING, etag: undefined };
		try {
			return { mark: JSON.parse(found.bytes.toString("utf8")) as Mark, etag: found.etag };
		} catch (error) {
			throw new LodeError("STORE_CORRUPT", `${NAME} of the archive cannot be read`, {
				next: "Restore it from a backup, or delete it when no ingestion runs.",
				cause: error,
			});
		}
	}

	/** False where somebody else was faster. */
	async #write(mark: Mark, etag: string | undefined): Promise<boolean> {
		const body = Buffer.from(JSON.stringify(mark));
		const condition = etag === undefined ? { "if-none-match": "*" } : { "if-match": `"${etag}"` };
		try {
			await this.client.request(
				"close seqs in",
				NAME,
				(minio) =>
					minio.putObject(this.client.bucket, this.client.key(NAME), body, body.length, {
						"content-type": "application/json",
						...condition,
					}),
				isRefused,
			);
			return true;
		} catch (error) {
			if (isRefused(error)) return false;
			throw error;
		}
	}
}

export const isClosed = ({ upTo, except }: Mark, seq: Seq): boolean => seq <= upTo && !except.includes(seq);

export const closedSeq = (seq: Seq): LodeError =>
	new LodeError("SEQ_CLOSED", `The artifact roots take no more writes for seq ${seq}: it was closed`);
