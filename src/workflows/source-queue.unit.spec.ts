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

	test("carries what waits, and that there is more, over to the next run", () => {
		const queue = new SourceQueue([], true);
		look(queue, ["a", "b", "c"], 3);
		queue.nextFound();
		queue.cameForward();
		queue.lookAgainAtEnd();
		expect(queue.carried).toEqual({ refChanged: true, waiting: ["b", "c"] });
	});
});
