export interface CollectOutcome {
	readonly records: Record<string, number>;
	/** Source → the number of the oldest snapshot that is kept. */
	readonly horizons: Record<string, number>;
	readonly objects: number;
	readonly bytes: number;
}
