import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		include: ["src/**/*.spec.ts", "temporal/**/*.spec.ts", "test/**/*.spec.ts"],
		testTimeout: 60_000,
		hookTimeout: 120_000,
		pool: "forks",
	},
});
