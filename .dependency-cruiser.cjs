/**
 * Imports point one way: see docs/architecture.md. test/conventions.unit.spec.ts plants a violation of every rule.
 * A layer's own specs may use more: they set up what the layer is tried with.
 */
const OURS = "^(src|temporal)/|^(worker|api|gateway)\\.ts$";
const SPECS = "\\.(spec|fixture)\\.ts$";
const PORTS = "\\.port\\.ts$|^src/stores/artifacts/manifest\\.ts$";

/** Of our own modules, those of `from` may import those that match one of `to`. */
const only = (name, from, to, comment) => ({
	name,
	comment,
	severity: "error",
	from: { path: from, pathNot: SPECS },
	to: { path: OURS, pathNot: to },
});

module.exports = {
	forbidden: [
		{
			name: "no-cycles",
			comment: "Modules that need each other are one module, or lack a third.",
			severity: "error",
			from: {},
			to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
		},
		{
			name: "no-unresolved",
			comment: "What is imported has to be there.",
			severity: "error",
			from: {},
			to: { couldNotResolve: true },
		},
		{
			name: "no-dev-dependency",
			comment: "Development dependencies are not installed at users' places. Types of theirs are erased.",
			severity: "error",
			from: { path: OURS, pathNot: SPECS },
			to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
		},
		{
			name: "no-undeclared-dependency",
			comment: "A package that only another package brings along may be gone tomorrow.",
			severity: "error",
			from: { path: OURS },
			to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
		},
		only("domain-is-pure", "^src/domain/", ["^src/domain/"], "The domain imports nothing of ours but itself."),
		{
			name: "domain-without-io",
			comment: "Hashing is the one thing of the platform that pure rules need.",
			severity: "error",
			from: { path: "^src/domain/", pathNot: SPECS },
			to: { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" },
		},
		{
			name: "workflows-are-deterministic",
			comment: "Of our own code workflows run the domain and their contracts; of the rest they see types.",
			severity: "error",
			from: { path: "^src/workflows/", pathNot: SPECS },
			to: { path: OURS, pathNot: "^src/(workflows|domain)/", dependencyTypesNot: ["type-only"] },
		},
		{
			name: "workflows-without-platform",
			comment: "Node's modules are not there in Temporal's sandbox, or not deterministic.",
			severity: "error",
			from: { path: "^src/workflows/", pathNot: SPECS },
			to: { dependencyTypes: ["core"], dependencyTypesNot: ["type-only"] },
		},
		only("mining-is-pure", "^src/mining/", ["^src/(mining|domain)/"], "Bytes in, mined file out."),
		only(
			"plugins-around-services",
			"^src/plugins/",
			["^src/(plugins|mining|services|domain)/"],
			"Hooks go around mining and the use cases that read; wiring.ts puts them there.",
		),
		only("stores-to-domain", "^src/stores/", ["^src/(stores|domain)/"], "Adapters know the domain only."),
		only(
			"sources-to-domain",
			"^src/sources/",
			["^src/(sources|domain)/", "^src/stores/.*\\.port\\.ts$"],
			"Sources know the domain, and the ports of stores.",
		),
		only(
			"embeddings-to-domain",
			"^src/embeddings/",
			["^src/(embeddings|domain)/", "^src/stores/(sqlite|postgres)/"],
			"Providers know the domain only; their cache lies in a database like others.",
		),
		only("config-stands-alone", "^src/config/", ["^src/(config|domain)/"], "Settings know the domain only."),
		only(
			"services-use-ports",
			"^src/services/",
			["^src/(services|domain|workflows|mining|embeddings)/", PORTS],
			"Services speak to ports; wiring.ts chooses the adapters.",
		),
		only(
			"activities-use-ports",
			"^src/activities/",
			["^src/(activities|services|domain|workflows|mining|embeddings)/", PORTS],
			"Activities speak to ports; wiring.ts chooses the adapters.",
		),
		only(
			"runtime-runs-processes",
			"^src/runtime/",
			["^src/(runtime|config|domain)/", "^temporal/server/"],
			"The runtime starts programs; it does not reach into what they do.",
		),
		only(
			"temporal-stands-alone",
			"^temporal/",
			["^temporal/", "^src/domain/"],
			"How the server is found and run depends on nothing that runs on it.",
		),
		only(
			"cli-translates",
			"^src/cli/",
			["^src/(cli|services|mcp|config|domain|runtime|observability)/", "^src/wiring\\.ts$", "^temporal/server/"],
			"The CLI translates and calls services.",
		),
		only(
			"api-translates",
			"^src/api/",
			["^src/(api|services|config|domain|webhooks|observability)/", "^src/runtime/parent\\.ts$"],
			"Controllers translate and call services; api.ts and gateway.ts wire them.",
		),
		only(
			"observability-around-ports",
			"^src/observability/",
			[
				"^src/(observability|services|activities|embeddings|webhooks|config|domain)/",
				"^src/workflows/contracts/",
				PORTS,
			],
			"What is measured are ports and what goes through them; wiring.ts and the programs put it there.",
		),
		only(
			"mcp-translates",
			"^src/mcp/",
			["^src/(mcp|services|config|domain|observability)/", "^src/api/security/"],
			"Tools and resources translate and call services; the CLI opens them. Who may ask over HTTP is told, and measured, as with the API.",
		),
		only(
			"webhooks-stand-alone",
			"^src/webhooks/",
			["^src/(webhooks|domain)/"],
			"Accepting needs no store and no server.",
		),
		{
			name: "only-entries-wire",
			comment: "wiring.ts is the one place that chooses adapters; programs start there.",
			severity: "error",
			from: { path: OURS, pathNot: ["^src/cli/", "^(worker|api|gateway)\\.ts$", SPECS] },
			to: { path: "^src/wiring\\.ts$" },
		},
	],
	options: {
		doNotFollow: { path: "node_modules" },
		tsPreCompilationDeps: true,
		tsConfig: { fileName: "tsconfig.json" },
		enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default"] },
	},
};
