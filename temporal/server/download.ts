import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { chmod, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** About four times what an archive has: a wrong address may send anything. */
const MAX_ARCHIVE_BYTES = 400 * 1024 * 1024;
const CONNECT_MS = 15_000;
const STALL_MS = 30_000;
const PROGRESS_MS = 3_000;

export interface DownloadOptions {
	readonly base: string;
	readonly version: string;
	readonly platform: NodeJS.Platform;
	readonly arch: string;
	/** An empty folder of our own. */
	readonly into: string;
	readonly name: string;
	readonly signal: AbortSignal | undefined;
	report(line: string): void;
}

function officialPlatform(platform: NodeJS.Platform, arch: string): { platform: string; arch: string } {
	const platforms: Partial<Record<NodeJS.Platform, string>> = { linux: "linux", darwin: "darwin", win32: "windows" };
	const arches: Record<string, string | undefined> = { x64: "amd64", arm64: "arm64" };
	const found = { platform: platforms[platform], arch: arches[arch] };
	if (found.platform === undefined || found.arch === undefined) {
		throw new Error(`there is no official binary for ${platform} ${arch}`);
	}
	return { platform: found.platform, arch: found.arch };
}

/** Fetches the official archive and unpacks the program. Returns its path. Throws plain errors: the caller has another way. */
export async function downloadTemporal(options: DownloadOptions): Promise<string> {
	const { platform, arch } = officialPlatform(options.platform, options.arch);
	const url = `${options.base}/cli/archive/v${options.version}?platform=${platform}&arch=${arch}`;
	options.report(`Downloading the Temporal server ${options.version} from ${new URL(url).host} …`);
	const archive = join(options.into, "archive");
	await fetchTo(url, archive, options);
	const zip = await isZip(archive);
	if (zip) await unzip(archive, options.into, options.name);
	else await untar(archive, options.into, options.name);
	await rm(archive, { force: true });
	const program = join(options.into, options.name);
	if (!(await stat(program)).isFile()) throw new Error(`the archive's ${options.name} is not a file`);
	await chmod(program, 0o755);
	return program;
}

async function fetchTo(url: string, file: string, options: DownloadOptions): Promise<void> {
	const stall = new AbortController();
	const stalled = () => stall.abort(new Error("the server does not answer"));
	let timer = setTimeout(stalled, CONNECT_MS);
	const signal = options.signal === undefined ? stall.signal : AbortSignal.any([stall.signal, options.signal]);
	try {
		const response = await fetch(url, { signal });
		if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
		const total = Number(response.headers.get("content-length") ?? 0);
		let received = 0;
		let told = performance.now();
		const count = new Transform({
			transform(chunk: Buffer, _encoding, done) {
				clearTimeout(timer);
				timer = setTimeout(stalled, STALL_MS);
				received += chunk.length;
				if (received > MAX_ARCHIVE_BYTES) return done(new Error("the archive is larger than any official one"));
				if (performance.now() - told > PROGRESS_MS) {
					told = performance.now();
					const of = total > 0 ? ` of ${megabytes(total)}` : "";
					options.report(`Downloading the Temporal server: ${megabytes(received)}${of} MB`);
				}
				done(null, chunk);
			},
		});
		await pipeline(Readable.fromWeb(response.body), count, createWriteStream(file), { signal });
		if (total > 0 && !response.headers.has("content-encoding") && received !== total) {
			throw new Error("the download ended early");
		}
	} finally {
		clearTimeout(timer);
	}
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

async function isZip(file: string): Promise<boolean> {
	const handle = await open(file);
	try {
		const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
		return buffer.toString("latin1") === "PK\u0003\u0004";
	} finally {
		await handle.close();
	}
}

async function untar(archive: string, into: string, name: string): Promise<void> {
	const tar = await import("tar");
	// Only the one entry: nothing else that an archive may hold touches the disk.
	await tar.extract({ file: archive, cwd: into, strict: true, filter: (path) => path.replace(/^\.\//, "") === name });
}

/** Windows 10 and later, and macOS, have bsdtar as `tar`, which reads zip files. */
async function unzip(archive: string, into: string, name: string): Promise<void> {
	const root = process.env.SystemRoot;
	const program = process.platform === "win32" && root !== undefined ? join(root, "System32", "tar.exe") : "tar";
	await run(program, ["-xf", archive, "-C", into, name], { timeout: 120_000, windowsHide: true });
}
