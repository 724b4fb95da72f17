import type { TestCommit } from "../../support/git-repository.js";
import { seededRandom } from "../../support/seeded-random.js";
import type { CrashOptions } from "./options.js";

export interface PlannedCommit {
	readonly source: number;
	readonly commit: TestCommit;
}

/** One request of a sender. */
export interface PlannedWebhook {
	/** Of the commit that it tells of, among the planned ones. */
	readonly commit: number;
	/** A repeat has the delivery id of the first, or one of its own. */
	readonly delivery: string;
	readonly sender: "github" | "gitea" | "gitlab" | "generic";
	/** It is sent when so many commits have been made. */
	readonly after: number;
}

export interface PlannedHistory {
	readonly commits: readonly PlannedCommit[];
	/** In the order in which they are sent. */
	readonly webhooks: readonly PlannedWebhook[];
	/** Commits of which nobody is told. */
	readonly untold: number;
}

const SENDERS = ["github", "gitea", "gitlab", "generic"] as const;
/** So many commits later a repeat may come. */
const LATE = 40;
const FILES = 12;

/** Files that name each other, so that a change of one concerns others. */
function fileOf(number: number, variant: number): readonly [path: string, content: string] {
	const other = (number * 5 + variant) % FILES;
	switch (number % 4) {
		case 0:
			return [
				`src/m${number}.ts`,
				`import { f${other} } from "./m${other}.js";\n\nexport function f${number}(x: number): number {\n\treturn f${other}(x) + ${variant};\n}\n`,
			];
		case 1:
			return [
				`py/p${number}.py`,
				`from p${other} import h${other}\n\n\ndef h${number}(x):\n    """Variant ${variant}."""\n    return h${other}(x)\n`,
			];
		case 2:
			return [`docs/d${number}.md`, `# Document ${number}\n\nText ${variant}, see [m](../src/m${other}.ts).\n`];
		default:
			return [`models/t${number}.sql`, `select id, amount as amount_${variant} from {{ ref('t${other}') }}\n`];
	}
}

export const firstCommit = (): TestCommit => ({ files: Object.fromEntries([0, 1, 2, 3].map((n) => fileOf(n, 0))) });

/** Commits, and who is told of them how often and in which order: from the seed and the sizes alone. */
export function planHistory(options: CrashOptions): PlannedHistory {
	const { seed, sources, commits: count, webhooks: total, faults } = options;
	const random = seededRandom(seed);
	const below = (bound: number) => Math.floor(random() * bound);
	const present = Array.from({ length: sources }, () => new Set([0, 1, 2, 3]));
	const commits = Array.from({ length: count }, (_, n): PlannedCommit => {
		const source = below(sources);
		const there = present[source] as Set<number>;
		const victim = [...there][below(there.size)] as number;
		if (there.size > 4 && random() < 0.15) {
			there.delete(victim);
			return { source, commit: { deletes: [fileOf(victim, 0)[0]], message: `Delete, step ${n}` } };
		}
		const file = below(FILES);
		there.add(file);
		return { source, commit: { files: Object.fromEntries([fileOf(file, 10 + n)]), message: `Write, step ${n}` } };
	});
	const last = commits.findLastIndex(({ source }) => source === commits[0]?.source);
	const planned: (PlannedWebhook & { readonly turn: number })[] = [];
	let untold = 0;
	for (let n = 0; n < count; n += 1) {
		const copies = Math.floor(total / count) + (n < total % count ? 1 : 0);
		// The newest of one source is always among them: nothing that comes later tells of it.
		if (faults.includes("webhooks") && (random() < 0.15 || n === last)) {
			untold += 1;
			continue;
		}
		for (let copy = 0; copy < copies; copy += 1) {
			const own = copy > 0 && random() < 0.3 ? `-${copy}` : "";
			// The sender is of the delivery: it would not be the same one from another.
			const sender = SENDERS[(n + (own === "" ? 0 : copy)) % SENDERS.length] as PlannedWebhook["sender"];
			const after = n + 1 + Math.floor(random() ** 3 * LATE);
			planned.push({
				commit: n,
				delivery: `s${seed}-c${n}${own}`,
				sender,
				after: Math.min(after, count),
				turn: random(),
			});
		}
	}
	planned.sort((a, b) => a.after - b.after || a.turn - b.turn);
	return { commits, webhooks: planned, untold };
}
