/** What one bench gets and gives. A bench measures; it never passes or fails. */
export interface BenchOptions {
	/** The large inputs too. */
	readonly full: boolean;
	/** A line of progress for people. */
	note(line: string): void;
}

/** One measured number. */
export interface Figure {
	/** Stable: figures of two runs are compared by it. */
	readonly name: string;
	readonly value: number;
	readonly unit: "ms" | "s" | "files/s" | "chunks/s" | "states/s" | "objects/s" | "MB" | "fraction";
	/** The same work by the machine or a bare engine alone, measured in the same run; and how many times that the figure is. */
	readonly beside?: { readonly name: string; readonly value: number; readonly ratio: number };
	/** The system's load average over the last minute when it was taken (0 where the system has none): above 1 others were at work. */
	readonly load: number;
}

export interface BenchResult {
	readonly figures: readonly Figure[];
	/** Where the figures come from: sizes, parts, raw series. */
	readonly details?: Readonly<Record<string, unknown>>;
}

export interface Bench {
	readonly summary: string;
	readonly run: (options: BenchOptions) => Promise<BenchResult>;
}
