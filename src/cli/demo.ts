import { requireNode24 } from "./node-guard.js";

requireNode24();
await import("./demonstration.js");
