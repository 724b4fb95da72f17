import { readdir } from "node:fs/promises";
import { join } from "node:path";

const SEGMENT = /^(\d{10})\.log$/;

export interface SegmentFile {
	readonly number: number;
	readonly name: string;
	readonly path: string;
}

/** The one ledger of a home. */
export const ledgerFolder = (home: string): string => join(home, "ledger");

export function segmentFile(folder: string, number: number): SegmentFile {
	const name = `${String(number).padStart(10, "0")}.log`;
	return { number, name, path: join(folder, name) };
}

/** In the order in which they were written. */
export async function segmentFiles(folder: string): Promise<SegmentFile[]> {
	const numbers = (await readdir(folder)).flatMap((name) => SEGMENT.exec(name)?.[1] ?? []);
	return numbers.sort().map((number) => segmentFile(folder, Number(number)));
}
