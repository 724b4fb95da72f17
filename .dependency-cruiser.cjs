/** Imports point one way: see docs/architecture.md. */
const only = (name, from, to, comment) => ({
	name,
	comment,
	severity: "error",
	from: { path: from, pathNot: "\\.spec\\.ts$" },
	to: { path: "^(src|temporal|worker)", pathNot: to },
});

module.exports = {
	forbidden: [
		{
			name: "no-cycles",
			severity: "error",
			from: {},
			to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
		},
		{ name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
		{
			name: "no-dev-dependency",
			severity: "error",
			from: { path: "^(src|temporal|worker)", pathNot: "\\.spec\\.ts$" },
			to: { dependencyTypes: ["npm-dev"] },
		},
		only("domain-is-pure", "^src/domain/", "^src/domain/", "The domain imports nothing but itself."),
		{
			name: "domain-without-io",
			severity: "error",
			from: { path: "^src/domain/", pathNot: "\\.spec\\.ts$" },
			to: { dependencyTypes: ["core"], pathNot: "^(node:)?crypto$" },
		},
		{
			name: "workflows-are-deterministic",
			comment: "Workflows import the domain, their contracts and types only.",
			severity: "error",
			from: { path: "^src/workflows/" },
			to: {
				path: "^(src|temporal|worker|node:|fs|path|crypto)",
				pathNot: "^src/(workflows|domain)/",
				dependencyTypesNot: ["type-only"],
			},
		},
		only("mining-is-pure", "^src/mining/", "^src/(mining|domain)/", "Bytes in, mined file out."),
		only("stores-to-domain", "^src/stores/", "^src/(stores|domain)/", "Adapters know the domain only."),
		only(
			"sources-to-domain",
			"^src/sources/",
			"^src/(sources|domain)/|^src/stores/.*\\.port\\.ts$",
			"Sources know ports only.",
		),
		only(
			"embeddings-to-domain",
			"^src/embeddings/",
			"^src/(embeddings|domain)/|^src/stores/sqlite/",
			"Providers know the domain only.",
		),
		only("config-stands-alone", "^src/config/", "^src/(config|domain)/", "Settings know the domain only."),
		only(
			"services-use-ports",
			"^src/services/",
			"^src/(services|domain|workflows|mining|embeddings)/|\\.port\\.ts$|^src/stores/artifacts/manifest\\.ts$",
			"Services speak to ports; wiring.ts chooses the adapters.",
		),
		only(
			"activities-use-ports",
			"^src/activities/",
			"^src/(activities|services|domain|workflows|mining|embeddings)/|\\.port\\.ts$|^src/stores/artifacts/manifest\\.ts$",
			"Activities speak to ports; wiring.ts chooses the adapters.",
		),
		only(
			"cli-translates",
			"^src/cli/",
			"^src/(cli|services|config|domain|runtime|wiring)|^temporal/server/",
			"The CLI translates and calls services.",
		),
	],
	options: {
		doNotFollow: { path: "node_modules" },
		tsPreCompilationDeps: true,
		tsConfig: { fileName: "tsconfig.json" },
		enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default"] },
	},
};
