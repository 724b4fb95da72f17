/** Wakes the subscriptions of this process when it appended something; those of other processes find it by polling. */
export class AppendSignal {
	readonly #waiting = new Set<() => void>();

	notify(): void {
		for (const wake of [...this.#waiting]) wake();
	}

	/** Ends at the next `notify`, after `ms`, or when it is given up. */
	wait(ms: number, givenUp: AbortSignal): Promise<void> {
		return new Promise((resolve) => {
			const wake = (): void => {
				clearTimeout(timer);
				this.#waiting.delete(wake);
				resolve();
			};
			const timer = setTimeout(wake, ms);
			this.#waiting.add(wake);
			givenUp.addEventListener("abort", wake, { once: true });
		});
	}
}
