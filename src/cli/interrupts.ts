import type { CliIo } from "./io.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/** Ctrl-C in two steps: the first asks to stop in order, the second to stop now, a third ends the process. */
export class Interrupts {
	readonly #stop = new AbortController();
	readonly #force = new AbortController();
	readonly #listener = () => {
		if (this.#force.signal.aborted) process.exit(130);
		if (this.#stop.signal.aborted) this.#force.abort();
		this.#stop.abort();
	};

	constructor(private readonly signals: CliIo["signals"]) {
		for (const name of SIGNALS) signals.on(name, this.#listener);
	}

	get signal(): AbortSignal {
		return this.#stop.signal;
	}

	get force(): AbortSignal {
		return this.#force.signal;
	}

	/** Resolves at the first. */
	get interrupted(): Promise<void> {
		return new Promise((resolve) => {
			if (this.signal.aborted) resolve();
			else this.signal.addEventListener("abort", () => resolve(), { once: true });
		});
	}

	dispose(): void {
		for (const name of SIGNALS) this.signals.off(name, this.#listener);
	}
}
