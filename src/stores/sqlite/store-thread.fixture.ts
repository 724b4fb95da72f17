import { existsSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { LodeError } from "../../domain/errors.js";
import { answeringCalls } from "./store-call.js";

/** What a thread of store-thread.unit.spec.ts holds: counts its calls, fails and dies when asked to. */
export interface TriedStore {
	count(): Promise<number>;
	sum(numbers: Float32Array): Promise<number>;
	fail(): Promise<void>;
	err(): Promise<void>;
	die(): Promise<void>;
	close(): Promise<void>;
}

class Tried {
	#calls = 0;

	constructor(refuse: boolean) {
		if (refuse) throw new LodeError("STORE_CORRUPT", "it is damaged", { next: "lode doctor" });
	}

	count = async () => ++this.#calls;
	sum = async (numbers: Float32Array) => numbers.reduce((sum, each) => sum + each, 0);
	fail = async () => {
		throw new LodeError("SEQ_CLOSED", "no more writes", { next: "nothing" });
	};
	err = async () => {
		throw new TypeError("a mistake");
	};
	die = async () => process.exit(1);
	close = async () => {};
}

/** `refusing`: a file; as long as it is there, nothing can be opened. */
export default answeringCalls(() => new Tried(existsSync((workerData as { refusing: string }).refusing)));
