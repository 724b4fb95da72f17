import { describe, expect, test } from "vitest";
import { SourceQueue } from "./source-queue.js";

describe("the queue of a source", () => {
	function look(queue: SourceQueue, found: readonly string[], most: number): void {
		queue.refChanged = false;
		queue.replaceFound(found, most);
	}

	function takeAll(queue: SourceQueue, publishes: (commit: string) => boolean): string[] {
		const taken: string[] = [];
		for (let commit = queue.nextFound(); commit !== undefined; commit = queue.nextFound()) {
			taken.push(commit);
			if (publishes(commit)) queue.cameForward();
			queue.lookAgainAtEnd();
		}
		return taken;
	}

	test("asks for another look when one could not take all commits", () => {
		const queue = new SourceQueue([], true);
		look(queue, ["a", "b", "c"], 3);
		expect(takeAll(queue, (commit) => commit === "b")).toEqual(["a", "b", "c"]);
		expect(queue.refChanged).toBe(true);
		look(queue, ["d"], 3);
		expect(takeAll(queue, () => true)).toEqual(["d"]);
		expect(queue.idle).toBe(true);
	});

	test("does not, when none of them could be published: it would find the same ones for ever", () => {
		const queue = new SourceQueue([], true);
		look(queue, ["a", "b", "c"], 3);
		takeAll(queue, () => false);
		expect(queue.idle).toBe(true);
	});

	test("carries that there is more where nothing was published yet, for what waits may be", () => {
		const queue = new SourceQueue([], true);
		look(queue, ["a", "b", "c"], 3);
		queue.nextFound();
		queue.lookAgainAtEnd();
		expect(queue.carried).toEqual({ refChanged: true, waiting: ["b", "c"] });
	});

	test("carries what waits, and that there is more, over to the next run", () => {
		const queue = new SourceQueue([], true);
		look(queue, ["a", "b", "c"], 3);
		queue.nextFound();
		queue.cameForward();
		queue.lookAgainAtEnd();
		expect(queue.carried).toEqual({ refChanged: true, waiting: ["b", "c"] });
	});
});

describe("traces", () => {
	const traceOf = (digit: string) => ({ traceparent: `00-${digit.repeat(32)}-${digit.repeat(16)}-01` });
	const [first, second] = [traceOf("1"), traceOf("2")];

	test("hints before a look are one look, in the last trace that one of them has", () => {
		const queue = new SourceQueue([], false);
		queue.hint(first);
		queue.hint(second);
		queue.hint(undefined);
		queue.look();
		expect(queue.trace).toBe(second);
	});

	test("a hint after the look is another one: what was found keeps its own trace", () => {
		const queue = new SourceQueue([], false);
		queue.hint(first);
		queue.look();
		queue.hint(undefined);
		expect(queue.trace).toBe(first);
		queue.look();
		expect(queue.trace).toBeUndefined();
	});

	test("a look that is repeated by itself stays in its trace", () => {
		const queue = new SourceQueue([], false);
		queue.hint(first);
		queue.look();
		queue.refChanged = true;
		queue.look();
		expect(queue.trace).toBe(first);
	});

	test("the next run knows the trace of what it takes over", () => {
		const queue = new SourceQueue([], false);
		queue.hint(first);
		expect(queue.carried.trace).toBe(first);
		queue.look();
		queue.replaceFound(["a"], 500);
		expect(queue.carried).toMatchObject({ waiting: ["a"], trace: first });
		queue.hint(second);
		expect(queue.carried.trace).toBe(second);
		const next = new SourceQueue(["a"], false, first);
		expect(next.trace).toBe(first);
		next.hint(undefined);
		next.look();
		expect(next.trace).toBeUndefined();
	});
});
