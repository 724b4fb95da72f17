import { sha256 } from "../../domain/digest.js";
import type { ArtifactStore } from "../../stores/artifacts/artifacts.port.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import type { GraphStore } from "../../stores/graph/graph.port.js";
import type { VectorStore } from "../../stores/vectors/vectors.port.js";
import type { Findings } from "./findings.js";

export interface VerifiableStores {
	readonly catalog: Catalog;
	readonly graph: GraphStore;
	readonly vectors: VectorStore;
	readonly artifacts: ArtifactStore;
}

export interface VerificationContext {
	readonly findings: Findings;
	/** Objects by address and mined files by key: whether they were found whole. Nothing is read twice. */
	readonly checked: Map<string, boolean>;
	readonly progress: (done: string) => void;
}

/** Whether the bytes of an object are there and those of its address. `record` says what refers to it. */
export async function verifyObject(
	{ artifacts }: Pick<VerifiableStores, "artifacts">,
	object: string,
	source: string,
	record: string,
	{ findings, checked }: VerificationContext,
): Promise<boolean> {
	const known = checked.get(object);
	if (known !== undefined) return known;
	let intact = false;
	await findings.part("artifacts", source, record, async () => {
		const bytes = await artifacts.get(object);
		intact = bytes !== undefined && sha256(bytes) === object;
		if (!intact) findings.add("artifacts", source, record, `object ${object} is ${bytes ? "damaged" : "missing"}`);
	});
	checked.set(object, intact);
	return intact;
}

/** Mined files can be computed again, and are when they are needed; until then a repeat or a revert costs more than it should. */
export async function verifyMined(
	{ artifacts }: Pick<VerifiableStores, "artifacts">,
	source: string,
	record: string,
	key: string,
	{ findings, checked }: VerificationContext,
): Promise<void> {
	if (checked.get(key)) return;
	await findings.part("artifacts", source, record, async () => {
		const intact = (await artifacts.getDerived(key)) !== undefined;
		if (!intact) findings.add("artifacts", source, record, `its mined form ${key} is missing or damaged`);
		checked.set(key, intact);
	});
}
