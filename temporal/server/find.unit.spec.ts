import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { create } from "tar";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LodeError } from "../../src/domain/errors.js";
import { cacheFolder, findTemporal, locateTemporal, temporalVersion } from "./find.js";

/** Real: the search, unpacking, locks. Fake: the programs (shell scripts, so not on Windows) and the download server on 127.0.0.1. */

const PROGRAM = "#!/bin/sh\necho 'temporal version 1.5.1 (Server 1.29.1)'\n";

let root: string;
let server: Server | undefined;
beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "lode-find-"));
});
afterEach(async () => {
	await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
	server = undefined;
	rmSync(root, { recursive: true, force: true });
});

function script(path: string, content: string): string {
	mkdirSync(join(path, ".."), { recursive: true });
	writeFileSync(path, content);
	chmodSync(path, 0o755);
	return path;
}

async function serve(listener: RequestListener): Promise<string> {
	const listening = createServer(listener);
	server = listening;
	await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
	return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

async function archive(program: string): Promise<Buffer> {
	script(join(root, "pack", "temporal"), program);
	writeFileSync(join(root, "pack", "LICENSE"), "MIT");
	const file = join(root, "pack.tar.gz");
	await create({ gzip: true, file, cwd: join(root, "pack") }, ["LICENSE", "temporal"]);
	return readFileSync(file);
}

function setting() {
	const lines: string[] = [];
	const settings = { temporal: {}, cacheDir: join(root, "cache") };
	const cached = join(cacheFolder(settings), "temporal");
	// The shell's own commands are needed by the scripts; neither temporal nor go lies there in a standard installation.
	const env = { PATH: ["/usr/bin", "/bin"].join(delimiter), HOME: root };
	const options = { env, platform: "linux", arch: "x64", downloadBase: "http://127.0.0.1:1" } as const;
	return { lines, settings, cached, options, report: (line: string) => lines.push(line) };
}

const failure = (promise: Promise<unknown>): Promise<LodeError> =>
	promise.then(
		() => expect.fail("found"),
		(error) => error,
	);

describe.skipIf(process.platform === "win32")("findTemporal", () => {
	it("uses the server of TEMPORAL_ADDRESS before anything else", async () => {
		const { settings, report, options } = setting();
		const own = { ...settings, temporal: { address: "temporal.example:7233" } };
		expect(await findTemporal(own, report, options)).toEqual({ kind: "server", address: "temporal.example:7233" });
	});

	it("finds the program on PATH, but not in a relative folder, not one that fails and not one that is too old", async () => {
		const { settings, report, options, lines } = setting();
		script(join(root, "broken", "temporal"), "#!/bin/sh\nexit 1\n");
		script(join(root, "old", "temporal"), "#!/bin/sh\necho 'temporal version 0.10.0'\n");
		const good = script(join(root, "good", "temporal"), PROGRAM);
		const PATH = ["", ".", "broken", join(root, "broken"), join(root, "old"), join(root, "good")].join(delimiter);
		const found = await findTemporal(settings, report, { ...options, env: { PATH } });
		expect(found).toEqual({ kind: "binary", path: good, from: "path", version: "1.5.1" });
		expect(lines.join("\n")).toMatch(/broken.* does not run[\s\S]*old.*0\.10\.0 is too old/);
	});

	it("downloads the official archive once, with nothing else of it, then uses its copy", async () => {
		const { settings, report, options, cached } = setting();
		const bytes = await archive(PROGRAM);
		const urls: (string | undefined)[] = [];
		const downloadBase = await serve((request, response) => {
			urls.push(request.url);
			response.end(bytes);
		});
		const found = await findTemporal(settings, report, { ...options, downloadBase });
		expect(found).toEqual({ kind: "binary", path: cached, from: "download", version: "1.5.1" });
		expect(urls).toEqual(["/cli/archive/v1.5.1?platform=linux&arch=amd64"]);
		expect(readdirSync(join(cached, ".."))).toEqual(["temporal"]);
		expect(await locateTemporal(settings, report, options)).toMatchObject({ from: "cache", path: cached });
		expect(await findTemporal(settings, report, { ...options, downloadBase })).toMatchObject({ from: "cache" });
		expect(urls).toHaveLength(1);
	});

	it("lets two that want it at once share one download", async () => {
		const { settings, report, options, lines } = setting();
		const bytes = await archive(PROGRAM);
		let requests = 0;
		let release: () => void = () => undefined;
		const held = new Promise<void>((resolve) => {
			release = resolve;
		});
		const downloadBase = await serve((_request, response) => {
			requests += 1;
			void held.then(() => response.end(bytes));
		});
		const both = Promise.all([1, 2].map(() => findTemporal(settings, report, { ...options, downloadBase })));
		while (!lines.some((line) => line.startsWith("Waiting"))) await new Promise((resolve) => setTimeout(resolve, 10));
		release();
		expect((await both).map((found) => found.kind === "binary" && found.from).sort()).toEqual(["cache", "download"]);
		expect(requests).toBe(1);
	});

	it.each([
		["answers 404", (response: Parameters<RequestListener>[1]) => response.writeHead(404).end()],
		["sends something else", (response: Parameters<RequestListener>[1]) => response.end("<html>sign in</html>")],
		[
			"ends early",
			(response: Parameters<RequestListener>[1]) => {
				response.writeHead(200, { "content-length": "5000" }).write("x");
				response.destroy();
			},
		],
	])("builds with go when the download server %s", async (_case, answer) => {
		const { settings, report, options, cached } = setting();
		const downloadBase = await serve((_request, response) => void answer(response));
		const go = `#!/bin/sh\necho "$@" "$CGO_ENABLED" "[$GOFLAGS]" > ${root}/called\ncp ${root}/made "$GOBIN/temporal"\n`;
		script(join(root, "made"), PROGRAM);
		script(join(root, "go", "go"), go);
		const env = { ...options.env, PATH: `${join(root, "go")}${delimiter}${options.env.PATH}`, GOFLAGS: "-mod=vendor" };
		const found = await findTemporal(settings, report, { ...options, downloadBase, env });
		expect(found).toEqual({ kind: "binary", path: cached, from: "go", version: "1.5.1" });
		expect(readFileSync(join(root, "called"), "utf8").trim()).toBe(
			"install github.com/temporalio/cli/cmd/temporal@v1.5.1 0 []",
		);
	});

	it("says what it tried and what to install, and leaves nothing", async () => {
		const { settings, report, options, cached } = setting();
		const downloadBase = await serve(
			async (_request, response) => void response.end(await archive("#!/bin/sh\nexit 3\n")),
		);
		const error = await failure(findTemporal(settings, report, { ...options, downloadBase }));
		expect(error.code).toBe("TEMPORAL_NOT_INSTALLED");
		expect(error.message).toContain("download: what came does not run here");
		expect(error.message).toContain("go install: there is no `go` on PATH");
		expect(error.next).toContain("TEMPORAL_ADDRESS");
		expect(existsSync(cached)).toBe(false);
		expect(readdirSync(join(cached, ".."))).toEqual([]);
	});

	it("stops when it is told to", async () => {
		const { settings, report, options, cached } = setting();
		const stop = new AbortController();
		const downloadBase = await serve(() => stop.abort());
		const error = await failure(findTemporal(settings, report, { ...options, downloadBase, signal: stop.signal }));
		expect(error.code).toBe("CANCELLED");
		expect(readdirSync(join(cached, ".."))).toEqual([]);
		server?.closeAllConnections();
	});

	it("takes nothing for a version that is none", async () => {
		expect(await temporalVersion(script(join(root, "x"), "#!/bin/sh\necho other 1.2.3\n"))).toBeUndefined();
		expect(await temporalVersion(join(root, "absent"))).toBeUndefined();
	});
});
