import type { ChunkSettings, MinedFile, Skip } from "../domain/mined-file.js";
import { type MineInput, mineFile, minePlainly } from "./mine-file.js";

export type MiningTask =
	| { readonly type: "ping" }
	| { readonly type: "mine"; readonly input: MineInput; readonly settings: ChunkSettings; readonly plainly?: Skip };

/** Runs in a thread of the mining pool. `ping` answers once everything is loaded. */
export default async function runMiningTask(task: MiningTask): Promise<MinedFile | undefined> {
	if (task.type === "ping") return undefined;
	const { input, settings, plainly } = task;
	return plainly === undefined ? mineFile(input, settings) : minePlainly(input, settings, plainly);
}
