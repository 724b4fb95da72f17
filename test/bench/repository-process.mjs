import "../support/run-from-source.mjs";

await import("./repository-process.ts");
