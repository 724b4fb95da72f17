import { describe, expect, it } from "vitest";
import { fileTypeOf } from "./languages.js";

describe("fileTypeOf", () => {
	it.each([
		["src/a.ts", "typescript", "text/x-typescript"],
		["a.tsx", "tsx", "text/x-typescript"],
		["a.mjs", "javascript", "text/javascript"],
		["a.PY", "python", "text/x-python"],
		["inc/a.h", "c", "text/x-c"],
		["a.hpp", "cpp", "text/x-c++"],
		["Dockerfile", "dockerfile", "text/x-dockerfile"],
		["deploy/Dockerfile.prod", "dockerfile", "text/x-dockerfile"],
		["dockerfile.csv", "csv", "text/csv"],
		["models/a.sql", "sql", "application/sql"],
		["Cargo.lock", "toml", "application/toml"],
		["data/a.parquet", "parquet", "application/vnd.apache.parquet"],
		["LICENSE", "text", "text/plain"],
		["a.png", undefined, "image/png"],
		["constructor", undefined, undefined],
		["a.__proto__", undefined, undefined],
	])("%s is %s", (path, language, mediaType) => {
		expect(fileTypeOf(path)).toEqual({ language, mediaType });
	});

	it.each([
		["#!/usr/bin/env python3.12\n", "python"],
		["#!/bin/sh\r\n", "shell"],
		["#!/usr/bin/env -S NODE_ENV=x node --flag\n", "javascript"],
		["#! /usr/bin/env\n", undefined],
		["# no shebang", undefined],
		[`#!${"/".repeat(1000)}`, undefined],
	])("reads the interpreter of %j", (head, language) => {
		expect(fileTypeOf("bin/run", head).language).toBe(language);
	});
});
