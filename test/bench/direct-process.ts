import { loadConfig } from "../../src/config/config.js";
import { createProvider } from "../../src/embeddings/choose-provider.js";
import { ensureSource } from "../../src/services/ingestion/ensure-source.js";
import { createGitSource } from "../../src/sources/git/git-source.adapter.js";
import { openPorts } from "../../src/wiring.js";
import { directIngest } from "./direct-ingest.js";
import { processorSecondsByThread } from "./processor-time.js";

/** `direct-process.mjs REPOSITORY TEMPORAL_ADDRESS`, settings by environment: a first ingestion without Temporal, as JSON. */
const [, , repository = "", address = ""] = process.argv;
const { config } = loadConfig();
const { ports, close } = await openPorts(config, { address });
const adapter = createGitSource({ home: config.home });
const target = await adapter.resolve(repository, undefined);
const defaultProvider = async () => createProvider({ ...config.embedding, home: config.home });
const chunking = { chunkSize: config.chunks.size, overlap: config.chunks.overlap };
const { catalog } = ports;
const source = await ensureSource({ catalog, defaultProvider, chunking, retention: {} }, target);
const before = process.cpuUsage();
const result = await directIngest(ports, source.id, target.commit);
const { user, system } = process.cpuUsage(before);
const { maxRSS } = process.resourceUsage();
const threads = (await processorSecondsByThread(process.pid)).slice(0, 30);
const cpu = (user + system) / 1e6;
process.stdout.write(`${JSON.stringify({ ...result, cpu, peakMb: Math.round(maxRSS / 1024), threads })}\n`);
await close();
process.exit(0);
