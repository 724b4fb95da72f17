import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where Debian and others put it. */
function faketime(): string | undefined {
	const named = process.env.LODE_TEST_FAKETIME;
	if (named !== undefined) return named;
	const roots = ["/usr/lib", "/usr/local/lib", "/usr/lib64"];
	const folders = roots.flatMap((root) => [
		root,
		...(existsSync("/usr/lib") && root === "/usr/lib" ? subfolders(root) : []),
	]);
	return folders.map((folder) => join(folder, "faketime", "libfaketime.so.1")).find(existsSync);
}

const subfolders = (root: string) =>
	readdirSync(root).flatMap((name) => (name.endsWith("-linux-gnu") ? [join(root, name)] : []));

/**
 * The wall clock of Node processes, to be moved while they run. With libfaketime everything in them sees it, the Rust core of Temporal's SDK and
 * git too; without it, `Date` alone. Go programs ask the kernel directly: the Temporal server and the stores keep the real time in any case, and so
 * do time stamps of files. Monotonic clocks do not move, as when a real clock is set.
 */
export class MovableClock {
	readonly how: "libfaketime" | "Date alone";
	readonly env: Record<string, string>;
	readonly #file: string;

	constructor(folder: string) {
		const library = faketime();
		this.how = library === undefined ? "Date alone" : "libfaketime";
		this.#file = join(folder, "clock");
		this.move(0);
		this.env =
			library === undefined
				? { LODE_CRASH_CLOCK: this.#file }
				: {
						LD_PRELOAD: library,
						DONT_FAKE_MONOTONIC: "1",
						FAKETIME_TIMESTAMP_FILE: this.#file,
						FAKETIME_CACHE_DURATION: "1",
					};
	}

	/** By so many seconds against the real time. */
	move(seconds: number): void {
		// In one step: it is read at any moment.
		writeFileSync(
			`${this.#file}.new`,
			this.how === "libfaketime" ? `${seconds < 0 ? "" : "+"}${seconds}s\n` : String(seconds),
		);
		renameSync(`${this.#file}.new`, this.#file);
	}
}
