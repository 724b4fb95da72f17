import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mineFile } from "../../src/mining/mine-file.js";
import { seededNumbers } from "../support/seeded-vectors.js";

/** Texts of chunks and of questions, one a call; the same ones in every run on the same checkout. */
export interface Texts {
	chunk(): string;
	question(): string;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SETTINGS = { chunkSize: 1_200, overlap: 150 };

/**
 * Real text: the chunks of this project's own sources and documents. Where more are asked for than there are, a chunk is spliced from two halves
 * of different ones. A question is a few words that stand beside each other in a chunk.
 */
export async function realTexts(): Promise<Texts> {
	const paths: string[] = [];
	for await (const path of glob(["{src,temporal,test}/**/*.ts", "docs/**/*.md"], { cwd: ROOT })) {
		paths.push(path.replaceAll("\\", "/"));
	}
	const chunks: string[] = [];
	for (const path of paths.sort()) {
		const bytes = await readFile(join(ROOT, path));
		const mined = await mineFile({ source: "bench", path, bytes, mode: "file" }, SETTINGS);
		chunks.push(...mined.chunks.map(({ text }) => text));
	}
	const next = seededNumbers(11);
	const any = () => chunks[Math.floor(next() * chunks.length)] as string;
	let given = 0;
	return {
		chunk() {
			const whole = chunks[given++];
			if (whole !== undefined) return whole;
			const [first, second] = [any(), any()];
			return `${first.slice(0, first.length / 2)}\n${second.slice(second.length / 2)}`;
		},
		question() {
			const words = any().match(/[A-Za-z]{3,}/g) ?? [];
			const from = Math.floor(next() * Math.max(1, words.length - 5));
			return words.slice(from, from + 5).join(" ") || "snapshot";
		},
	};
}
