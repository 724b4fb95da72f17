import "../support/run-from-source.mjs";

/** `npm run deploy:install`. Erasable types only. */
const { installTools } = await import("./deploy-tools.js");
const missing = installTools((line: string) => console.log(line));
for (const line of missing) console.error(`missing: ${line}`);
process.exitCode = missing.length === 0 ? 0 : 1;
