import type { Dependency, ManifestReader } from "./manifest.js";

/** go.mod: the module, what it requires, and what replaces it. */
export const readGoMod: ManifestReader = (text) => {
	let name: string | undefined;
	let block = "";
	const required = new Map<string, Dependency>();
	const replaces = new Map<string, string>();
	for (const raw of text.split(/\r?\n/)) {
		const [code = "", comment = ""] = raw.split("//", 2).map((part) => part.trim());
		if (code === "") continue;
		if (code === ")") {
			block = "";
			continue;
		}
		const words = code.split(/\s+/).map((word) => word.replace(/^["`]|["`]$/g, ""));
		if (block === "" && words[1] === "(") {
			block = words[0] ?? "";
			continue;
		}
		const [directive, ...rest] = block === "" ? words : [block, ...words];
		if (directive === "module") name = rest[0];
		else if (directive === "require" && rest[0] !== undefined) {
			const kind = comment === "indirect" || comment.startsWith("indirect;") ? "indirect" : "runtime";
			required.set(rest[0], { name: rest[0], range: rest[1] ?? "*", kind });
		} else if (directive === "replace" && rest[0] !== undefined) {
			const arrow = rest.indexOf("=>");
			if (arrow > 0 && rest[arrow + 1] !== undefined) replaces.set(rest[0], rest.slice(arrow + 1).join(" "));
		}
	}
	if (name === undefined && required.size === 0) {
		return { ok: false, skip: { reason: "parse", detail: "go.mod names no module" } };
	}
	const dependencies = [...required.values()];
	for (const target of replaces.values()) {
		const [path = "", version] = target.split(" ");
		// A local path is part of the repository, not a module that it depends on.
		if (!/^(?:\.|\/|[A-Za-z]:)/.test(path) && !required.has(path)) {
			dependencies.push({ name: path, range: version ?? "*", kind: "runtime" });
		}
	}
	return { ok: true, manifest: { ecosystem: "go", name, dependencies, replaces } };
};
