import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import LongestFirst from "./test/support/longest-first.js";

/** As Node loads it for Lode and for every package: Vite would take its other build, and two builds of it do not know each other's types. */
const graphql = { find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve("graphql")) };

/**
 * Tests wait for most of their time: for servers and processes that start, for pauses between tries. So one more of them runs than the two cores
 * that CI has, and all tiers share the workers: none waits for the last file of another one.
 */
const WORKERS = 3;

/** One project a tier; a file's suffix says its tier (test/conventions.unit.spec.ts holds that). */
const tiers = [
	{ name: "unit", include: ["{src,temporal,test}/**/*.unit.spec.ts"] },
	{ name: "contract", include: ["test/contract/*.contract.spec.ts"] },
	{ name: "replay", include: ["test/replay/*.replay.spec.ts"] },
	{ name: "workflow", include: ["test/workflows/*.workflow.spec.ts"] },
	{ name: "integration", include: ["test/integration/*.int.spec.ts"] },
	{ name: "e2e", include: ["test/e2e/*.e2e.spec.ts"] },
	{ name: "crash", include: ["test/crash/*.crash.spec.ts"] },
];

export default defineConfig({
	test: {
		globalSetup: ["test/support/build.ts", "test/support/temporal-binary.ts", "test/support/server-fleet.ts"],
		reporters: ["default", "./test/support/closing-line-reporter.ts"],
		sequence: { sequencer: LongestFirst },
		projects: tiers.map(({ name, include }) => ({
			resolve: { alias: [graphql] },
			test: {
				name,
				include,
				pool: "forks" as const,
				// Suites of the server engines share two cores with each other.
				testTimeout: 120_000,
				hookTimeout: 180_000,
				maxWorkers: WORKERS,
			},
		})),
	},
});
