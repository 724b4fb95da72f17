import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { compileCache } from "./compile-cache.js";

let cache: string;
beforeEach(() => {
	cache = mkdtempSync(join(tmpdir(), "lode-cache-"));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

it("is a folder of this user's own, made where it is missing", () => {
	const folder = compileCache(join(cache, "deep", "lode"));
	expect(folder).toBe(join(cache, "deep", "lode", "compiled"));
	if (process.platform !== "win32") expect(statSync(folder ?? "").mode & 0o777).toBe(0o700);
	expect(compileCache(join(cache, "deep", "lode"))).toBe(folder);
});

it.skipIf(process.platform === "win32")("is none that others can write into, no link and no file", () => {
	const folder = join(cache, "compiled");
	mkdirSync(folder);
	chmodSync(folder, 0o777);
	expect(compileCache(cache)).toBeUndefined();
	rmSync(folder, { recursive: true });
	mkdirSync(join(cache, "elsewhere"));
	symlinkSync(join(cache, "elsewhere"), folder);
	expect(compileCache(cache)).toBeUndefined();
	rmSync(folder);
	writeFileSync(folder, "");
	expect(compileCache(cache)).toBeUndefined();
	expect(compileCache(folder)).toBeUndefined();
});
