import { closeSync, fdatasyncSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { exactTop } from "./exact-search.js";
import { quantile, rounded } from "./measuring.js";

/** What this machine can do at best, on the disk that the benches use: figures stand beside these. Medians of three. */
export interface MachineLimits {
	/** 1 KiB appends, each followed by fsync; the same with fdatasync. */
	readonly fsyncAppendsPerSecond: number;
	readonly fdatasyncAppendsPerSecond: number;
	/** 1 KiB appends with one fsync for 32 of them. */
	readonly groupedAppendsPerSecond: number;
	readonly sequentialWriteMbPerSecond: number;
	/** All dot products of one query with 50,000 vectors of 384 dimensions, in JavaScript on one core; with the ten best picked. */
	readonly dotProductsMs: number;
	readonly load: number;
}

export interface Machine {
	readonly node: string;
	readonly platform: string;
	readonly cpu: string;
	readonly cores: number;
	readonly memoryGb: number;
}

const SEQUENTIAL_MB = 256;

export function describeMachine(): Machine {
	return {
		node: process.version,
		platform: `${process.platform} ${process.arch}`,
		cpu: cpus()[0]?.model.trim() ?? "unknown",
		cores: availableParallelism(),
		memoryGb: Math.round(totalmem() / 2 ** 30),
	};
}

export function measureLimits(): MachineLimits {
	const folder = mkdtempSync(join(tmpdir(), "lode-limits-"));
	const file = join(folder, "appended");
	const median = (measure: () => number) => Math.round(quantile([measure(), measure(), measure()], 0.5));
	try {
		return {
			fsyncAppendsPerSecond: median(() => appends(file, 300, 1, fsyncSync)),
			fdatasyncAppendsPerSecond: median(() => appends(file, 300, 1, fdatasyncSync)),
			groupedAppendsPerSecond: median(() => appends(file, 4_800, 32, fsyncSync)),
			sequentialWriteMbPerSecond: median(() => sequentialWrite(file)),
			dotProductsMs: dotProducts(),
			load: rounded(loadavg()[0] ?? 0, 2),
		};
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

function appends(path: string, count: number, group: number, sync: (fd: number) => void): number {
	const block = Buffer.alloc(1024, 7);
	const fd = openSync(path, "w");
	try {
		const started = performance.now();
		for (let at = 0; at < count; at += group) {
			for (let each = 0; each < group; each += 1) writeSync(fd, block);
			sync(fd);
		}
		return count / ((performance.now() - started) / 1_000);
	} finally {
		closeSync(fd);
	}
}

function sequentialWrite(path: string): number {
	const block = Buffer.alloc(1 << 20, 7);
	const fd = openSync(path, "w");
	try {
		const started = performance.now();
		for (let mb = 0; mb < SEQUENTIAL_MB; mb += 1) writeSync(fd, block);
		fsyncSync(fd);
		return (SEQUENTIAL_MB * 1.048576) / ((performance.now() - started) / 1_000);
	} finally {
		closeSync(fd);
	}
}

function dotProducts(): number {
	const [rows, dimensions] = [50_000, 384];
	const matrix = new Float32Array(rows * dimensions);
	for (let at = 0; at < matrix.length; at += 1) matrix[at] = ((at * 2_654_435_761) % 1_000) / 1_000 - 0.5;
	const query = matrix.slice(7 * dimensions, 8 * dimensions);
	const series = Array.from({ length: 12 }, () => {
		const started = performance.now();
		exactTop(matrix, query, 10);
		return performance.now() - started;
	});
	// The first ones compile.
	return rounded(quantile(series.slice(3), 0.5), 2);
}
