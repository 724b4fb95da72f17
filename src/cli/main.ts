#!/usr/bin/env node
import * as nodeModule from "node:module";
import { requireNode24 } from "./node-guard.js";

requireNode24();
// Halves the start: compiled code is kept between runs.
const { compileCache } = await import("../runtime/compile-cache.js");
const compiled = compileCache();
if (compiled !== undefined) nodeModule.enableCompileCache(compiled);
const { main } = await import("./entry.js");
await main();
