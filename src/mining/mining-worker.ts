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

/** Runs in a thread of the mining pool: one parcel an input. `ping` answers once everything is loaded. */
export default async function runMiningTask(task: MiningTask): Promise<MinedParcel[]> {
	if (task.type === "ping") return [];
	const { inputs, settings, plainly } = task;
	const parcels: MinedParcel[] = [];
	for (const input of inputs) {
		parcels.push(
			parcelOf(await (plainly === undefined ? mineFile(input, settings) : minePlainly(input, settings, plainly))),
		);
	}
	return parcels;
}
