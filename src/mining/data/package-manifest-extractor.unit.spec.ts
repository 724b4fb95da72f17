import { describe, expect, it } from "vitest";
import { Findings, inlineFile } from "./inline-file.fixture.js";
import { packageManifestExtractor } from "./package-manifest-extractor.js";

const read = (path: string, text: string) => Findings.of(packageManifestExtractor, path, text);

describe("package manifests", () => {
	it("package.json", async () => {
		const found = await read(
			"packages/web/package.json",
			JSON.stringify({
				name: "@acme/web",
				version: "1.2.3",
				description: "The web",
				workspaces: ["packages/*"],
				dependencies: { react: "^19", both: "1", internal: "git+https://user:token@example.com/x.git", "../evil": "1" },
				devDependencies: { both: "2", vitest: "^5" },
				peerDependencies: { "react-dom": "*" },
				optionalDependencies: { fsevents: "2" },
			}),
		);
		expect(found.props("package:npm/@acme/web")).toEqual({
			dependencies: {
				both: "1",
				fsevents: "2",
				internal: "git+https://example.com/x.git",
				react: "^19",
				"react-dom": "*",
				vitest: "^5",
			},
			dependencyKinds: { fsevents: "optional", "react-dom": "peer", vitest: "dev" },
			description: "The web",
			ecosystem: "npm",
			version: "1.2.3",
			workspaces: ["packages/*"],
		});
		expect(found.edges("package:npm/@acme/web", "DEPENDS_ON")).toContain("package:npm/react-dom");
		expect(found.edges("file:shop:packages/web/package.json", "DEFINES")).toEqual(["package:npm/@acme/web"]);
		expect(found.props("package:npm/react")).toEqual({ ecosystem: "npm" });
	});

	it("a package.json without a name: the file depends", async () => {
		const found = await read("package.json", '{"dependencies":{"a":"1","__proto__":"2","constructor":"3"}}');
		expect(found.edges("file:shop:package.json", "DEPENDS_ON")).toEqual(["package:npm/a", "package:npm/constructor"]);
		expect(found.props("file:shop:package.json")?.dependencies).toEqual({ a: "1", constructor: "3" });
	});

	it("pyproject.toml: PEP 621, groups, build, names normalised", async () => {
		const found = await read(
			"pyproject.toml",
			`
[build-system]
requires = ["hatchling>=1"]
[project]
name = "My_Package"
version = "2.0"
dependencies = ["Flask_SQLAlchemy[async] >=1,<2 ; python_version > '3.8'", "httpx @ https://u:p@example.com/httpx.whl", "certifi"]
[project.optional-dependencies]
cli = ["Click==8.*", "my-package[x]"]
[dependency-groups]
test = ["pytest", {include-group = "x"}]
`,
		);
		expect(found.props("package:pypi/my-package")).toMatchObject({
			dependencies: {
				certifi: "*",
				click: "==8.*",
				"flask-sqlalchemy": ">=1,<2",
				hatchling: ">=1",
				httpx: "@ https://example.com/httpx.whl",
				pytest: "*",
			},
			dependencyKinds: { click: "optional", hatchling: "build", pytest: "dev" },
		});
		expect(found.edges("package:pypi/my-package", "DEPENDS_ON")).not.toContain("package:pypi/my-package");
	});

	it("pyproject.toml of Poetry", async () => {
		const found = await read(
			"pyproject.toml",
			`
[tool.poetry]
name = "thing"
version = "0.1"
[tool.poetry.dependencies]
python = "^3.10"
Django = "^5"
extra = {version = "^1", optional = true}
multi = [{version = "1", python = "<3.9"}, {version = "2", python = ">=3.9"}]
[tool.poetry.group.dev.dependencies]
ruff = "*"
`,
		);
		expect(found.props("package:pypi/thing")).toMatchObject({
			dependencies: { django: "^5", extra: "^1", multi: "1", ruff: "*" },
			dependencyKinds: { extra: "optional", ruff: "dev" },
			version: "0.1",
		});
	});

	it("requirements files", async () => {
		const found = await read(
			"requirements-dev.txt",
			"# tools\n-r base.txt\n--index-url https://u:p@pypi.example/simple\nRequests[security]>=2 \\\n    --hash=sha256:abc\nblack==24.1 ; python_version>'3' # why\n-e git+https://github.com/x/y.git#egg=Y_Pkg\n./local\n",
		);
		expect(found.props("file:shop:requirements-dev.txt")?.dependencies).toEqual({
			black: "==24.1",
			requests: ">=2",
			"y-pkg": "*",
		});
		expect(JSON.stringify(found.extraction)).not.toContain("u:p");
	});

	it("setup.cfg", async () => {
		const found = await read(
			"setup.cfg",
			"[metadata]\nname = Old_Thing\nversion = attr: old.__version__\n[options]\ninstall_requires =\n    six>=1 # for 2\n    attrs\n[options.extras_require]\ntest = pytest\n[flake8]\nignore = E1\n",
		);
		expect(found.props("package:pypi/old-thing")).toEqual({
			dependencies: { attrs: "*", pytest: "*", six: ">=1" },
			dependencyKinds: { pytest: "optional" },
			ecosystem: "pypi",
		});
	});

	it("go.mod", async () => {
		const found = await read(
			"go.mod",
			'module example.com/me // hi\n\ngo 1.22\nrequire github.com/a/b v1.0.0\nrequire (\n\t"github.com/c/d" v0.0.0-2020 // indirect\n)\nreplace (\n\tgithub.com/a/b => ../b\n\tgithub.com/c/d v0.0.0-2020 => github.com/fork/d v1.1.0\n)\n',
		);
		expect(found.props("package:go/example.com/me")).toEqual({
			dependencies: { "github.com/a/b": "v1.0.0", "github.com/c/d": "v0.0.0-2020", "github.com/fork/d": "v1.1.0" },
			dependencyKinds: { "github.com/c/d": "indirect" },
			ecosystem: "go",
			replaces: { "github.com/a/b": "../b", "github.com/c/d": "github.com/fork/d v1.1.0" },
		});
	});

	it("Cargo.toml", async () => {
		const found = await read(
			"Cargo.toml",
			`
[package]
name = "mine"
version.workspace = true
[dependencies]
serde = { version = "1", features = ["derive"] }
renamed = { package = "real-name", version = "2" }
shared = { workspace = true }
maybe = { version = "3", optional = true }
[dev-dependencies]
criterion = "0.5"
[target.'cfg(unix)'.dependencies]
libc = "0.2"
[build-dependencies]
cc = "1"
[workspace]
members = ["crates/*"]
[workspace.dependencies]
shared = "4"
`,
		);
		expect(found.props("package:cargo/mine")).toEqual({
			dependencies: {
				cc: "1",
				criterion: "0.5",
				libc: "0.2",
				maybe: "3",
				"real-name": "2",
				serde: "1",
				shared: "workspace",
			},
			dependencyKinds: { cc: "build", criterion: "dev", maybe: "optional" },
			ecosystem: "cargo",
			workspaces: ["crates/*"],
		});
	});

	it("pom.xml: the parent, properties, scopes and imported bills of materials", async () => {
		const found = await read(
			"pom.xml",
			`<?xml version="1.0"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <parent><groupId>org.acme</groupId><artifactId>parent</artifactId><version>7</version></parent>
  <artifactId>app</artifactId>
  <properties><spring.version>\${base}.1</spring.version><base>6</base><loop>\${loop}\${loop}</loop></properties>
  <dependencies>
    <dependency><groupId>org.spring</groupId><artifactId>core</artifactId><version>\${spring.version}</version></dependency>
    <dependency><groupId>\${project.groupId}</groupId><artifactId>lib</artifactId><version>\${project.version}</version></dependency>
    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>[4,5) &amp; \${loop}</version><scope>test</scope></dependency>
  </dependencies>
  <dependencyManagement><dependencies>
    <dependency><groupId>b</groupId><artifactId>bom</artifactId><version>1</version><type>pom</type><scope>import</scope></dependency>
    <dependency><groupId>m</groupId><artifactId>managed</artifactId><version>1</version></dependency>
  </dependencies></dependencyManagement>
</project>`,
		);
		expect(found.props("package:maven/org.acme:app")).toMatchObject({
			dependencies: { "b:bom": "1", "org.acme:lib": "7", "org.acme:parent": "7", "org.spring:core": "6.1" },
			dependencyKinds: { "b:bom": "managed", "junit:junit": "dev", "org.acme:parent": "build" },
			version: "7",
		});
		expect(found.keys).not.toContain("package:maven/m:managed");
	});

	it("does not take lock files for manifests", () => {
		for (const path of ["package-lock.json", "poetry.lock", "Cargo.lock", "go.sum", "yarn.lock", "notes.txt"]) {
			expect(packageManifestExtractor.matches(inlineFile(path, "{}"))).toBe(false);
		}
	});

	const laughs = Array.from({ length: 10 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join("");
	it.each([
		["broken JSON", "package.json", '{"name": "secret-token-123", oops', ["parse"]],
		["JSON that is no object", "package.json", "[1]", ["parse"]],
		["deep JSON", "package.json", `${'{"a":'.repeat(100_000)}1`, ["nesting"]],
		["deep TOML arrays", "Cargo.toml", `a = ${"[".repeat(50_000)}`, ["nesting"]],
		["deep TOML keys", "Cargo.toml", `${"a.".repeat(50_000)}b = 1`, ["nesting"]],
		["broken TOML", "pyproject.toml", "a = \n= b", ["parse"]],
		["deep XML", "pom.xml", "<a>".repeat(200_000), ["nesting"]],
		["broken XML", "pom.xml", "<project><a></project>", ["parse"]],
		["too much", "requirements.txt", "a\n".repeat(1_200_000), ["too_large"]],
		["no module", "go.mod", "hello", ["parse"]],
	])("records %s", async (_, path, text, expected) => {
		const found = await read(path, text);
		expect(found.skips).toEqual(expected);
		expect(JSON.stringify(found.extraction)).not.toContain("secret-token");
	});

	const pom = (doctype: string, entity: string) =>
		read(
			"pom.xml",
			`<?xml version="1.0"?>${doctype}<project><groupId>g</groupId><artifactId>a</artifactId><version>${entity}</version></project>`,
		);

	it("expands no entity that a document defines", async () => {
		const found = await pom(`<!DOCTYPE project [<!ENTITY l0 "lol">${laughs}]>`, "&l10;");
		expect(found.props("package:maven/g:a")?.version).toBe("&l10;");
		const plain = await pom('<!DOCTYPE project [<!ENTITY v "1.0">]>', "&v;");
		expect(plain.props("package:maven/g:a")?.version).toBe("&v;");
	});

	it("refuses external entities", async () => {
		const found = await pom('<!DOCTYPE project [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;");
		expect(found.skips).toEqual(["parse"]);
		expect(found.keys).toEqual([]);
	});
});
