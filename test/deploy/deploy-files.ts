import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, parseAllDocuments } from "yaml";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const KUBERNETES = join(ROOT, "deploy", "kubernetes");

export interface ComposeService {
	readonly image?: string;
	readonly build?: string | { readonly context: string; readonly args?: Readonly<Record<string, string>> };
	readonly command?: readonly string[];
	readonly environment?: Readonly<Record<string, string>>;
	readonly ports?: readonly string[];
	readonly volumes?: readonly string[];
	readonly healthcheck?: { readonly test: readonly string[] };
	readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
	readonly read_only?: boolean;
	readonly cap_drop?: readonly string[];
}

interface Compose {
	readonly services: Readonly<Record<string, ComposeService>>;
	readonly volumes: Readonly<Record<string, unknown>>;
}

/** docker-compose.yml with its defaults in place of variables. */
export function composeFile(): Compose {
	const text = readFileSync(join(ROOT, "docker-compose.yml"), "utf8");
	return parse(
		text.replace(/\$\{[A-Z0-9_]+:-([^}]*)\}/g, (_, otherwise: string) => otherwise),
		{ merge: true },
	) as Compose;
}

// biome-ignore lint/suspicious/noExplicitAny: documents of many kinds, which kubernetes-validate checks.
export type Manifest = any;

/** Every document of every manifest, with its file. */
export function manifests(): { file: string; document: Manifest }[] {
	return readdirSync(KUBERNETES)
		.sort()
		.flatMap((file) =>
			parseAllDocuments(readFileSync(join(KUBERNETES, file), "utf8")).map((document) => ({
				file,
				document: document.toJS() as Manifest,
			})),
		);
}
