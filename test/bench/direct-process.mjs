import "../support/run-from-source.mjs";

await import("./direct-process.ts");
