import { posix } from "node:path";
import mime from "mime-types";

export interface FileType {
	/** Undefined where the table has no name for it; the file may be text all the same. */
	readonly language: string | undefined;
	/** Undefined where neither the table nor mime-types knows: the caller decides by whether the content is text. */
	readonly mediaType: string | undefined;
}

interface Language {
	readonly mediaType: string;
	readonly extensions?: readonly string[];
	readonly filenames?: readonly string[];
	/** Names of interpreters in a `#!` line, without version digits. */
	readonly interpreters?: readonly string[];
}

/**
 * Raise core's version (mine-file.ts) with any change here: language and media type are part of a mined file.
 * Media types are IANA's where there is one; `.ts` in mime-types is a video format, hence this table goes first.
 */
const LANGUAGES: Readonly<Record<string, Language>> = {
	typescript: {
		mediaType: "text/x-typescript",
		extensions: ["ts", "mts", "cts"],
		interpreters: ["deno", "ts-node", "tsx", "bun"],
	},
	tsx: { mediaType: "text/x-typescript", extensions: ["tsx"] },
	javascript: {
		mediaType: "text/javascript",
		extensions: ["js", "mjs", "cjs", "jsx"],
		interpreters: ["node", "nodejs"],
	},
	python: {
		mediaType: "text/x-python",
		extensions: ["py", "pyi", "pyw"],
		filenames: ["sconstruct", "sconscript"],
		interpreters: ["python", "pypy", "uv"],
	},
	go: { mediaType: "text/x-go", extensions: ["go"] },
	java: { mediaType: "text/x-java", extensions: ["java"] },
	rust: { mediaType: "text/x-rust", extensions: ["rs"] },
	c: { mediaType: "text/x-c", extensions: ["c", "h"] },
	cpp: { mediaType: "text/x-c++", extensions: ["cpp", "cc", "cxx", "c++", "hpp", "hh", "hxx", "h++", "ipp", "inl"] },
	csharp: { mediaType: "text/x-csharp", extensions: ["cs", "csx"] },
	ruby: {
		mediaType: "text/x-ruby",
		extensions: ["rb", "rake", "gemspec"],
		filenames: ["gemfile", "rakefile", "vagrantfile", "podfile"],
		interpreters: ["ruby"],
	},
	php: { mediaType: "text/x-php", extensions: ["php", "phtml"], interpreters: ["php"] },
	sql: { mediaType: "application/sql", extensions: ["sql", "ddl", "psql", "pgsql"] },
	markdown: { mediaType: "text/markdown", extensions: ["md", "markdown", "mdown", "mkd"] },
	yaml: { mediaType: "application/yaml", extensions: ["yaml", "yml"], filenames: [".clang-format"] },
	json: {
		mediaType: "application/json",
		extensions: ["json", "jsonc", "json5", "webmanifest", "ipynb", "geojson"],
		filenames: [".babelrc", ".eslintrc", ".prettierrc", ".swcrc"],
	},
	toml: {
		mediaType: "application/toml",
		extensions: ["toml"],
		filenames: ["pipfile", "cargo.lock", "poetry.lock", "uv.lock"],
	},
	xml: {
		mediaType: "application/xml",
		extensions: ["xml", "xsd", "xsl", "xslt", "csproj", "props", "targets", "plist"],
	},
	html: { mediaType: "text/html", extensions: ["html", "htm", "xhtml"] },
	css: { mediaType: "text/css", extensions: ["css"] },
	scss: { mediaType: "text/x-scss", extensions: ["scss", "sass", "less"] },
	shell: {
		mediaType: "application/x-sh",
		extensions: ["sh", "bash", "zsh", "ksh"],
		filenames: [".bashrc", ".bash_profile", ".profile", ".zshrc", ".envrc"],
		interpreters: ["sh", "bash", "zsh", "ksh", "dash", "ash"],
	},
	dockerfile: {
		mediaType: "text/x-dockerfile",
		extensions: ["dockerfile"],
		filenames: ["dockerfile", "containerfile"],
	},
	makefile: {
		mediaType: "text/x-makefile",
		extensions: ["mk"],
		filenames: ["makefile", "gnumakefile"],
		interpreters: ["make"],
	},
	csv: { mediaType: "text/csv", extensions: ["csv"] },
	tsv: { mediaType: "text/tab-separated-values", extensions: ["tsv"] },
	jsonl: { mediaType: "application/x-ndjson", extensions: ["jsonl", "ndjson"] },
	parquet: { mediaType: "application/vnd.apache.parquet", extensions: ["parquet"] },
	kotlin: { mediaType: "text/x-kotlin", extensions: ["kt", "kts"] },
	scala: { mediaType: "text/x-scala", extensions: ["scala", "sc"] },
	swift: { mediaType: "text/x-swift", extensions: ["swift"] },
	lua: { mediaType: "text/x-lua", extensions: ["lua"], interpreters: ["lua"] },
	perl: { mediaType: "text/x-perl", extensions: ["pl", "pm"], interpreters: ["perl"] },
	r: { mediaType: "text/x-r", extensions: ["r"], interpreters: ["rscript"] },
	protobuf: { mediaType: "text/x-protobuf", extensions: ["proto"] },
	graphql: { mediaType: "application/graphql", extensions: ["graphql", "gql"] },
	terraform: { mediaType: "text/x-hcl", extensions: ["tf", "tfvars", "hcl"] },
	ini: {
		mediaType: "text/x-ini",
		extensions: ["ini", "cfg", "properties"],
		filenames: [".editorconfig", ".gitconfig", ".npmrc", ".gitmodules"],
	},
	powershell: { mediaType: "text/x-powershell", extensions: ["ps1", "psm1", "psd1"], interpreters: ["pwsh"] },
	restructuredtext: { mediaType: "text/x-rst", extensions: ["rst"] },
	text: {
		mediaType: "text/plain",
		extensions: ["txt", "text", "log"],
		filenames: [
			"license",
			"licence",
			"readme",
			"authors",
			"notice",
			"changelog",
			"copying",
			"codeowners",
			".gitignore",
			".gitattributes",
			".dockerignore",
			".npmignore",
		],
	},
};

const byExtension = new Map<string, string>();
const byFilename = new Map<string, string>();
const byInterpreter = new Map<string, string>();
for (const [language, { extensions = [], filenames = [], interpreters = [] }] of Object.entries(LANGUAGES)) {
	for (const extension of extensions) byExtension.set(extension, language);
	for (const filename of filenames) byFilename.set(filename, language);
	for (const interpreter of interpreters) byInterpreter.set(interpreter, language);
}

/**
 * Formats whose rows are data: read by the dataset extractor even where they are too large to be chunked. Every extension that it
 * reads must be one of these, because the mining pool keeps them out of threads that may be ended.
 */
const DATA_LANGUAGES: ReadonlySet<string> = new Set(["csv", "tsv", "jsonl", "parquet"]);
/** Of these, formats that are binary by nature. */
const BINARY_LANGUAGES: ReadonlySet<string> = new Set(["parquet"]);
const CONFIG_LANGUAGES: ReadonlySet<string> = new Set([
	"yaml",
	"json",
	"toml",
	"xml",
	"ini",
	"dockerfile",
	"makefile",
	"terraform",
]);
const PROSE_LANGUAGES: ReadonlySet<string> = new Set(["markdown", "restructuredtext", "html", "text"]);

export const isDataLanguage = (language: string | undefined): boolean =>
	language !== undefined && DATA_LANGUAGES.has(language);
export const isBinaryLanguage = (language: string | undefined): boolean =>
	language !== undefined && BINARY_LANGUAGES.has(language);

/** The kind of chunks that lie in no region. */
export function plainChunkKind(language: string | undefined): "module" | "config" | "dataset" | "text" {
	if (language === undefined || PROSE_LANGUAGES.has(language)) return "text";
	if (DATA_LANGUAGES.has(language)) return "dataset";
	return CONFIG_LANGUAGES.has(language) ? "config" : "module";
}

/**
 * By file name, then by extension, then by the interpreter that the first line names.
 * @param path POSIX path of the file
 * @param head the beginning of the content; only its first line is read, and of that 200 characters
 */
export function fileTypeOf(path: string, head = ""): FileType {
	const filename = posix.basename(path).toLowerCase();
	const extension = posix.extname(filename).slice(1);
	const language =
		byFilename.get(filename) ??
		byExtension.get(extension) ??
		(filename.startsWith("dockerfile.") ? "dockerfile" : undefined) ??
		interpreterLanguage(head);
	const mediaType = language === undefined ? mime.lookup(filename) || undefined : LANGUAGES[language]?.mediaType;
	return { language, mediaType };
}

function interpreterLanguage(head: string): string | undefined {
	if (!head.startsWith("#!")) return undefined;
	const line = (head.slice(2, 200).split("\n", 1)[0] ?? "").trim();
	// `#!/usr/bin/env -S NAME=value node --flag`: the first word that is neither env, an option nor an assignment.
	const command = line
		.split(/\s+/)
		.map((word) => word.slice(word.lastIndexOf("/") + 1))
		.find((word) => word !== "" && word !== "env" && !word.startsWith("-") && !word.includes("="));
	return command === undefined ? undefined : byInterpreter.get(command.toLowerCase().replace(/[\d.]+$/, ""));
}
