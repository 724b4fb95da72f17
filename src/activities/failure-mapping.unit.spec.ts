import type { Info } from "@temporalio/activity";
import { type ApplicationFailure, CancelledFailure } from "@temporalio/common";
import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger, Runtime } from "@temporalio/worker";
import { describe, expect, test } from "vitest";
import { LodeError } from "../domain/errors.js";
import { withFailureMapping } from "./failure-mapping.js";

Runtime.install({ logger: new DefaultLogger("ERROR") });

const redact = (text: string) => text.replaceAll("hunter22", "[secret]");

/** What attempts of an activity fail with that throw one error after the other, as a worker would. */
async function failures(errors: readonly unknown[], info: Partial<Info> = {}): Promise<ApplicationFailure[]> {
	const left = [...errors];
	const { activity } = withFailureMapping(
		{
			activity: async () => {
				const error = left.shift();
				if (error !== undefined) throw error;
			},
		},
		redact,
	);
	const failed: ApplicationFailure[] = [];
	for (const attempt of errors.keys()) {
		// As the SDK does: a local activity has another id after each longer pause.
		const activityId = info.isLocal ? String(attempt) : "1";
		await new MockActivityEnvironment({ attempt: attempt + 1, activityId, ...info }).run(activity).then(
			() => {
				if (left.length === errors.length) throw new Error("it did not run");
			},
			(failure: ApplicationFailure) => failed.push(failure),
		);
	}
	return failed;
}

const failing = async (error: unknown) => (await failures([error]))[0] as ApplicationFailure;
/** Of each of the attempts whether it is the last. */
const last = async (errors: readonly unknown[], info?: Partial<Info>) =>
	(await failures(errors, info)).map(({ nonRetryable }) => nonRetryable);

describe("what activities throw", () => {
	test("a permanent error is not retried and keeps its code, its message and its next step", async () => {
		const failure = await failing(new LodeError("REF_NOT_FOUND", "git: no such branch", { next: "git branch -a" }));
		expect(failure).toMatchObject({ type: "REF_NOT_FOUND", message: "git: no such branch", nonRetryable: true });
		expect(failure.details).toEqual([{ next: "git branch -a" }]);
	});

	test("a store that is away is retried for ever", async () => {
		expect(await last(Array(100).fill(new LodeError("STORE_UNAVAILABLE", "away")))).not.toContain(true);
	});

	test("a provider's Retry-After overrides the interval", async () => {
		const failure = await failing(new LodeError("EMBEDDING_RATE_LIMITED", "slow down", { retryAfterMs: 7_000 }));
		expect(failure).toMatchObject({ nonRetryable: false, nextRetryDelay: 7_000 });
	});

	test("a full disk is retried a little, then a user has to act", async () => {
		expect(await last(Array(3).fill(new LodeError("DISK_FULL", "full")))).toEqual([false, false, true]);
	});

	test("an error that nobody named is retried a few times, then parks the commit", async () => {
		const error = new TypeError("x is undefined");
		expect(await failing(error)).toMatchObject({ type: "INTERNAL", nonRetryable: false });
		expect(await last(Array(5).fill(error))).toEqual([false, false, false, false, true]);
	});

	test("that counts for a local activity too, until it succeeds", async () => {
		const [error, info] = [new TypeError("x is undefined"), { isLocal: true, activityType: "publish" }];
		expect(await last(Array(5).fill(error), info)).toEqual([false, false, false, false, true]);
		expect(await last([...Array(4).fill(error), undefined, ...Array(4).fill(error)], info)).not.toContain(true);
	});

	test("a store that was away for long does not make the next error the last one", async () => {
		const away = Array(20).fill(new LodeError("STORE_UNAVAILABLE", "away"));
		const others = [new TypeError("x is undefined"), new LodeError("DISK_FULL", "full")];
		expect(await last([...away, ...others])).not.toContain(true);
	});

	test("so is what a server refused in words that nobody knew", async () => {
		const refused = new LodeError("INTERNAL", "Cannot await the collection in Weaviate: it refused the request");
		const thrown = new TypeError("x is undefined");
		expect(await last([refused, thrown, refused, thrown, refused])).toEqual([false, false, false, false, true]);
	});

	test("an attempt that was cancelled does not bring the end nearer", async () => {
		const error = new TypeError("x is undefined");
		const cancelled = Array(4).fill(new CancelledFailure("the worker ends"));
		expect((await last([...cancelled, ...Array(5).fill(error)])).slice(4)).toEqual([false, false, false, false, true]);
	});

	test("no secret gets into a history", async () => {
		for (const error of [new Error("refused hunter22"), new LodeError("EMBEDDING_FAILED", "key hunter22")]) {
			expect(JSON.stringify([await failing(error)])).not.toContain("hunter22");
			expect((await failing(error)).message).toContain("[secret]");
		}
	});

	test("a cancelled activity says so", async () => {
		const { activity } = withFailureMapping(
			{
				activity: async () => {
					await new Promise((resolve) => setTimeout(resolve, 20));
					throw new DOMException("stopped", "AbortError");
				},
			},
			redact,
		);
		const environment = new MockActivityEnvironment();
		const running = environment.run(activity);
		environment.cancel();
		await expect(running).rejects.toBeInstanceOf(CancelledFailure);
	});
});
