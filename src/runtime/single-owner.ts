import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LodeError } from "../domain/errors.js";
import { isSameProcess, processIdentity } from "./process-identity.js";

const OWNER = "owner.json";

/** The process that owns a folder, while it runs. */
export async function ownerOf(folder: string): Promise<number | undefined> {
	const owner = await readFile(join(folder, OWNER), "utf8").then(
		(text) => JSON.parse(text) as { pid: number; identity: string },
		() => undefined,
	);
	return owner !== undefined && (await isSameProcess(owner)) ? owner.pid : undefined;
}

/**
 * Makes this process the owner of a folder that only one may write. One that was killed is no owner any more. Returns how to give it up.
 * @throws CONFIG_INVALID while another process owns it
 */
export async function ownFolder(folder: string, what: string): Promise<() => Promise<void>> {
	await mkdir(folder, { recursive: true, mode: 0o700 });
	const file = join(folder, OWNER);
	const owner = await ownerOf(folder);
	if (owner !== undefined && owner !== process.pid) {
		throw new LodeError("CONFIG_INVALID", `LODE_HOME: process ${owner} has ${what} of this home already`, {
			next: "Use that one, or give this one another LODE_HOME.",
		});
	}
	const mine = JSON.stringify({ pid: process.pid, identity: await processIdentity(process.pid) });
	const fresh = `${file}.${process.pid}`;
	try {
		// In one step: half a file would be nobody's.
		await writeFile(fresh, mine, { mode: 0o600 });
		await rename(fresh, file);
	} catch (error) {
		await rm(fresh, { force: true });
		// On a full disk it can still say that the disk is full, and pass on what waits.
		if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
	}
	return () => rm(file, { force: true });
}
