import { describe, expect, it } from "vitest";
import { errorCode } from "../../domain/errors.js";
import { WritePermits } from "./write-permits.js";

/** The clock is the test's; the timer that beats in between is the real one, and finds no gap in a clock that stands still. */
describe("permission to write", () => {
	const setting = () => {
		const clock = { time: 1_000_000 };
		return { clock, permits: new WritePermits({ deadlineMs: 60_000, now: () => clock.time }) };
	};
	const code = (action: () => unknown) => {
		try {
			action();
			return undefined;
		} catch (error) {
			return errorCode(error);
		}
	};
	const advance = ({ clock, permits }: ReturnType<typeof setting>, milliseconds: number) => {
		for (let left = milliseconds; left > 0; left -= 500) {
			clock.time += Math.min(500, left);
			permits.beat();
		}
	};

	it("ends a fixed time after each write begins, however long the activity has run", () => {
		const world = setting();
		const permit = world.permits.permit();
		expect(permit.options()).toEqual({ deadline: 1_060_000 });
		advance(world, 300_000);
		expect(permit.options()).toEqual({ deadline: 1_360_000 });
	});

	it("is gone for an activity during which the process was paused, however much later it asks", () => {
		const world = setting();
		const permit = world.permits.permit();
		world.clock.time += 9_000;
		expect(code(() => permit.options())).toBe("STORE_UNAVAILABLE");
		advance(world, 60_000);
		expect(code(() => permit.options())).toBe("STORE_UNAVAILABLE");
		expect(code(() => world.permits.permit().options())).toBeUndefined();
	});

	it("is refused to what was received before the pause and begins just after it", () => {
		const world = setting();
		world.clock.time += 9_000;
		expect(code(() => world.permits.permit().options())).toBe("STORE_UNAVAILABLE");
		advance(world, 3_000);
		expect(code(() => world.permits.permit().options())).toBeUndefined();
	});

	it("does not mind a busy second", () => {
		const world = setting();
		const permit = world.permits.permit();
		world.clock.time += 3_000;
		expect(code(() => permit.options())).toBeUndefined();
	});
});
