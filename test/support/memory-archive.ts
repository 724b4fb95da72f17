import { sha256 } from "../../src/domain/digest.js";
import type { ArtifactStore } from "../../src/stores/artifacts/artifacts.port.js";

export type Archive = Pick<ArtifactStore, "put" | "putStream" | "get" | "missing" | "putDerived" | "getDerived">;

/** The part of an archive that sources use, in memory; `puts` and `streamed` count the contents that were handed over. */
export function createMemoryArchive(): Archive & {
	readonly objects: Map<string, Uint8Array>;
	puts: number;
	streamed: number;
} {
	const objects = new Map<string, Uint8Array>();
	const derived = new Map<string, Uint8Array>();
	return {
		objects,
		puts: 0,
		streamed: 0,
		async put(contents) {
			this.puts += contents.length;
			return contents.map((content) => {
				const address = sha256(content);
				objects.set(address, Uint8Array.from(content));
				return address;
			});
		},
		async putStream(content) {
			const parts: Uint8Array[] = [];
			for await (const part of content) parts.push(Uint8Array.from(part));
			const whole = Buffer.concat(parts);
			this.streamed += 1;
			objects.set(sha256(whole), whole);
			return { object: sha256(whole), size: whole.length };
		},
		get: async (address) => objects.get(address),
		missing: async (addresses) => addresses.filter((address) => !objects.has(address)),
		putDerived: async (key, content) => void derived.set(key, Uint8Array.from(content)),
		getDerived: async (key) => derived.get(key),
	};
}
