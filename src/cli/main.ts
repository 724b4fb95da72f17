#!/usr/bin/env node
import * as nodeModule from "node:module";
import { requireNode24 } from "./node-guard.js";

requireNode24();
// Halves the start: compiled code is kept between runs. Does nothing where the folder is not writable.
nodeModule.enableCompileCache();
const { main } = await import("./entry.js");
await main();
