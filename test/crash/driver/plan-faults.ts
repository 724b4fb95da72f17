import { seededRandom } from "../../support/seeded-random.js";
import type { CrashOptions, FaultKind } from "./options.js";

const EMBEDDED = ["gateway", "worker", "Temporal", "dev"] as const;
export const STORES = ["postgres", "dgraph", "weaviate", "minio"] as const;
export type StoreName = (typeof STORES)[number];
export type Target = (typeof EMBEDDED)[number] | StoreName;

/** Those that answer HTTP: only there 503 means something. */
const HTTP_STORES: readonly StoreName[] = ["weaviate", "minio"];

export type Fault =
	| { readonly kind: "kill"; readonly target: Target; readonly downMs: number }
	| { readonly kind: "stop"; readonly target: Target; readonly forMs: number }
	| { readonly kind: "boundary"; readonly activity: string; readonly side: Side; readonly discards: boolean }
	| { readonly kind: "disk"; readonly place: "home" | "ledger"; readonly leave: number; readonly forMs: number }
	| { readonly kind: "torn"; readonly end: "cut" | "half" | "foreign"; readonly at: number }
	| { readonly kind: "clock"; readonly seconds: number; readonly forMs: number }
	| { readonly kind: "slow"; readonly store: StoreName; readonly way: SlowWay; readonly forMs: number };
export type Side = "before" | "after";
export type SlowWay = "latency" | "stall" | "reset" | "503";

export interface PlannedFault {
	/** After the one before. */
	readonly pauseMs: number;
	readonly fault: Fault;
}

const INGESTION = [
	...["begin", "prepareCommit", "planChanges", "mineBatch", "embedBatch", "stageBatches"],
	...["stageGraph", "stageVectors", "recordBatch", "linkAndList", "linkNames", "stageManifest"],
	...["verifyStaged", "publish", "pendingCommits"],
];
/** They run where an ingestion failed for good. */
const COMPENSATION = ["abort", "discardGraph", "discardVectors", "discardArtifacts", "release"];
const COMPARISON = ["listSources", "hintSource"];
const MINUTE = 60;
const DAY = 86_400;
/** Around the five minutes of a signature, an hour of a wrong time zone, the thirty days of a ledger. Seconds. */
const JUMPS = [2 * MINUTE, -2 * MINUTE, 10 * MINUTE, -10 * MINUTE, 3_600, -3_600, 40 * DAY, -40 * DAY];

/** Each once in a random order, and again. */
function bag<T>(items: readonly T[], random: () => number): () => T {
	let left: T[] = [];
	return () => {
		if (left.length === 0) left = [...items];
		return left.splice(Math.floor(random() * left.length), 1)[0] as T;
	};
}

/** How many boundaries there are to kill a worker at. */
export const boundariesOf = (faults: readonly FaultKind[]): (readonly [activity: string, side: Side])[] =>
	[...INGESTION, ...COMPENSATION, ...(faults.includes("webhooks") ? COMPARISON : [])].flatMap((activity) => [
		[activity, "before"] as const,
		[activity, "after"] as const,
	]);

/** The list of faults, without an end: from the seed, the profile and the kinds alone. Kinds, targets and places come in turn. */
export function* planFaults(options: CrashOptions): Generator<PlannedFault, undefined> {
	const random = seededRandom(options.seed ^ 0x5eed_fa17);
	const inMs = (from: number, to: number) => Math.round(from + random() * (to - from));
	const targets: Target[] = options.profile === "servers" ? [...EMBEDDED, ...STORES] : [...EMBEDDED];
	const kinds = options.faults.filter(
		(kind) => kind !== "webhooks" && (kind !== "slow" || options.profile === "servers"),
	);
	if (kinds.length === 0) return;
	const next = {
		kind: bag(kinds, random),
		killed: bag(targets, random),
		stopped: bag(targets, random),
		boundary: bag(boundariesOf(options.faults), random),
		place: bag(["home", "ledger"] as const, random),
		end: bag(["cut", "half", "foreign"] as const, random),
		jump: bag(JUMPS, random),
		slow: bag(
			STORES.flatMap((store) =>
				(["latency", "stall", "reset", "503"] as const)
					.filter((way) => way !== "503" || HTTP_STORES.includes(store))
					.map((way) => [store, way] as const),
			),
			random,
		),
	};
	const make: { readonly [K in Fault["kind"]]: () => Fault } = {
		kill: () => ({ kind: "kill", target: next.killed(), downMs: inMs(0, 2_500) }),
		stop: () => ({ kind: "stop", target: next.stopped(), forMs: inMs(1_000, random() < 0.25 ? 12_000 : 5_000) }),
		boundary() {
			const [activity, side] = next.boundary();
			return { kind: "boundary", activity, side, discards: COMPENSATION.includes(activity) };
		},
		disk: () => ({
			kind: "disk",
			place: next.place(),
			leave: random() < 0.5 ? 0 : inMs(0, 64) * 1_024,
			forMs: inMs(1_000, random() < 0.2 ? 14_000 : 5_000),
		}),
		torn: () => ({ kind: "torn", end: next.end(), at: random() }),
		clock: () => ({ kind: "clock", seconds: next.jump(), forMs: inMs(1_500, 6_000) }),
		slow() {
			const [store, way] = next.slow();
			return { kind: "slow", store, way, forMs: inMs(2_000, 8_000) };
		},
	};
	for (;;) {
		const kind = next.kind() as Fault["kind"];
		yield { pauseMs: Math.round(options.everyMs * (0.5 + random())), fault: make[kind]() };
	}
}

/** `kill worker`, as the report counts it. */
export function nameOf(fault: Fault): string {
	switch (fault.kind) {
		case "kill":
		case "stop":
			return `${fault.kind} ${fault.target}`;
		case "boundary":
			return `boundary ${fault.side} ${fault.activity}`;
		case "disk":
			return `disk ${fault.place}`;
		case "torn":
			return `torn ${fault.end}`;
		case "clock":
			return `clock ${fault.seconds > 0 ? "+" : ""}${fault.seconds} s`;
		case "slow":
			return `slow ${fault.store} ${fault.way}`;
	}
}
