import { createRequire } from "node:module";
import type { SingleBar } from "cli-progress";
import type { IngestProgress } from "../services/reports.js";
import { type CliIo, printable } from "./io.js";

/** Elsewhere than on a terminal: at most a line in this time, besides one for each new stage. Milliseconds. */
const LINE_MS = 2_000;

const STAGES: Record<IngestProgress["stage"], string> = {
	waiting: "waiting for its turn",
	begin: "beginning",
	prepare: "fetching",
	diff: "comparing commits",
	files: "mining files",
	link: "linking names",
	verify: "verifying",
	publish: "publishing",
	discard: "discarding",
	done: "done",
};

/** Progress on standard error: a bar on a terminal, plain lines elsewhere. */
export class Progress {
	#bar: SingleBar | undefined;
	#stage: string | undefined;
	#written = 0;
	#ended = false;

	constructor(private readonly io: CliIo) {}

	update = (progress: IngestProgress): void => {
		// The last answer to a question may come after the result.
		if (this.#ended) return;
		if (this.io.stderr.isTTY) this.#draw(progress);
		else this.#print(progress);
	};

	/** A line of its own, above the bar. */
	line(text: string): void {
		const clear = this.#bar === undefined ? "" : "\r\u001b[K";
		this.io.stderr.write(`${clear}${printable(text)}\n`);
	}

	/** Ends the bar; later updates are ignored. */
	stop(): void {
		this.#ended = true;
		this.#bar?.stop();
		this.#bar = undefined;
	}

	#draw(progress: IngestProgress): void {
		const total = Math.max(progress.filesTotal, 1);
		const done = progress.stage === "done" ? total : Math.min(progress.filesDone, total);
		const payload = { stage: STAGES[progress.stage], chunks: progress.chunks, reused: progress.reused };
		if (this.#bar !== undefined) {
			this.#bar.setTotal(total);
			this.#bar.update(done, payload);
			return;
		}
		const { SingleBar } = createRequire(import.meta.url)("cli-progress") as typeof import("cli-progress");
		this.#bar = new SingleBar({
			format: "[{bar}] {value}/{total} files, {chunks} chunks ({reused} reused), {stage}",
			barCompleteChar: "#",
			barIncompleteChar: "-",
			barsize: 24,
			stream: this.io.stderr,
			hideCursor: false,
			clearOnComplete: true,
			linewrap: false,
		});
		this.#bar.start(total, done, payload);
	}

	#print(progress: IngestProgress): void {
		const now = performance.now();
		if (progress.stage === this.#stage && now - this.#written < LINE_MS) return;
		this.#stage = progress.stage;
		this.#written = now;
		const files =
			progress.filesTotal > 0 ? ` ${progress.filesDone}/${progress.filesTotal} files, ${progress.chunks} chunks` : "";
		const detail = progress.detail === "" ? "" : ` (${progress.detail})`;
		this.line(`${STAGES[progress.stage]}${files}${detail}`);
	}
}
