import { sha256 } from "../../src/domain/digest.js";
import type { ArtifactStore } from "../../src/stores/artifacts/artifacts.port.js";

export type Archive = Pick<ArtifactStore, "put" | "get" | "missing" | "putDerived" | "getDerived">;

/** The part of an archive that sources use, in memory; `puts` counts the contents that were handed over. */
export function createMemoryArchive(): Archive & { readonly objects: Map<string, Uint8Array>; puts: number } {
	const objects = new Map<string, Uint8Array>();
	const derived = new Map<string, Uint8Array>();
	return {
		objects,
		puts: 0,
		async put(contents) {
			this.puts += contents.length;
			return contents.map((content) => {
				const address = sha256(content);
				objects.set(address, Uint8Array.from(content));
				return address;
			});
		},
		get: async (address) => objects.get(address),
		missing: async (addresses) => addresses.filter((address) => !objects.has(address)),
		putDerived: async (key, content) => void derived.set(key, Uint8Array.from(content)),
		getDerived: async (key) => derived.get(key),
	};
}
