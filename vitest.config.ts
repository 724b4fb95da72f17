import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** As Node loads it for Lode and for every package: Vite would take its other build, and two builds of it do not know each other's types. */
const graphql = { find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve("graphql")) };

/**
 * One project a tier; a file's suffix says its tier (test/conventions.unit.spec.ts holds that). Tiers that run servers and processes get few
 * workers and a turn of their own (`groupOrder`), so that two cores are enough.
 */
const tiers = [
	{ name: "unit", include: ["{src,temporal,test}/**/*.unit.spec.ts"] },
	{ name: "contract", include: ["test/contract/*.contract.spec.ts"] },
	{ name: "replay", include: ["test/replay/*.replay.spec.ts"] },
	{ name: "workflow", include: ["test/workflows/*.workflow.spec.ts"], servers: 2 },
	{ name: "integration", include: ["test/integration/*.int.spec.ts"], servers: 2 },
	{ name: "e2e", include: ["test/e2e/*.e2e.spec.ts"], servers: 2 },
	{ name: "crash", include: ["test/crash/*.crash.spec.ts"], servers: 2 },
];

export default defineConfig({
	test: {
		globalSetup: ["test/support/build.ts", "test/support/temporal-binary.ts", "test/support/server-fleet.ts"],
		reporters: ["default", "./test/support/closing-line-reporter.ts"],
		projects: tiers.map(({ name, include, servers }, order) => ({
			resolve: { alias: [graphql] },
			test: {
				name,
				include,
				pool: "forks" as const,
				// Suites of the server engines share two cores with each other.
				testTimeout: 120_000,
				hookTimeout: 180_000,
				sequence: { groupOrder: servers === undefined ? 0 : order },
				...(servers === undefined ? {} : { maxWorkers: servers }),
			},
		})),
	},
});
