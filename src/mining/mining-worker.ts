import { setImmediate } from "node:timers/promises";
import type { ChunkSettings, Skip } from "../domain/mined-file.js";
import { type MineInput, mineFile, minePlainly } from "./mine-file.js";
import { type MinedParcel, parcelOf } from "./mined-file-codec.js";

export type MiningTask =
	| { readonly type: "ping" }
	| {
			readonly type: "mine";
			readonly inputs: readonly MineInput[];
			readonly settings: ChunkSettings;
			readonly plainly?: Skip;
	  };

let before: Promise<unknown> = Promise.resolve();

/**
 * Runs in a thread of the mining pool: one parcel an input. `ping` answers once everything is loaded.
 *
 * Parcels go one after the other. A file whose grammar or parser has to be loaded first waits for the event loop some dozen times, and would wait
 * for other parcels each time: ten seconds of a large repository.
 */
export default function runMiningTask(task: MiningTask): Promise<MinedParcel[]> {
	const result = before.then(() => mined(task));
	// The event loop takes what has come meanwhile, so that the next one is here when this one's answer leaves.
	before = result.catch(() => undefined).then(() => setImmediate());
	return result;
}

async function mined(task: MiningTask): Promise<MinedParcel[]> {
	if (task.type === "ping") return [];
	const { inputs, settings, plainly } = task;
	const parcels: MinedParcel[] = [];
	for (const input of inputs) {
		const file = await (plainly === undefined ? mineFile(input, settings) : minePlainly(input, settings, plainly));
		parcels.push(parcelOf(file, input.source));
	}
	return parcels;
}
