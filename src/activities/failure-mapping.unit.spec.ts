import { type ApplicationFailure, CancelledFailure } from "@temporalio/common";
import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger, Runtime } from "@temporalio/worker";
import { describe, expect, test } from "vitest";
import { LodeError } from "../domain/errors.js";
import { withFailureMapping } from "./failure-mapping.js";

Runtime.install({ logger: new DefaultLogger("ERROR") });

const redact = (text: string) => text.replaceAll("hunter22", "[secret]");

/** Runs an activity that throws, at some attempt, as a worker would. */
async function failing(error: unknown, attempt = 1): Promise<ApplicationFailure> {
	const { activity } = withFailureMapping(
		{
			activity: async () => {
				throw error;
			},
		},
		redact,
	);
	return new MockActivityEnvironment({ attempt }).run(activity).then(
		() => {
			throw new Error("it did not fail");
		},
		(failure: ApplicationFailure) => failure,
	);
}

describe("what activities throw", () => {
	test("a permanent error is not retried and keeps its code, its message and its next step", async () => {
		const failure = await failing(new LodeError("REF_NOT_FOUND", "git: no such branch", { next: "git branch -a" }));
		expect(failure).toMatchObject({ type: "REF_NOT_FOUND", message: "git: no such branch", nonRetryable: true });
		expect(failure.details).toEqual([{ next: "git branch -a" }]);
	});

	test("a store that is away is retried for ever", async () => {
		expect(await failing(new LodeError("STORE_UNAVAILABLE", "away"), 1_000)).toMatchObject({ nonRetryable: false });
	});

	test("a provider's Retry-After overrides the interval", async () => {
		const failure = await failing(new LodeError("EMBEDDING_RATE_LIMITED", "slow down", { retryAfterMs: 7_000 }));
		expect(failure).toMatchObject({ nonRetryable: false, nextRetryDelay: 7_000 });
	});

	test("a full disk is retried a little, then a user has to act", async () => {
		expect(await failing(new LodeError("DISK_FULL", "full"), 1)).toMatchObject({ nonRetryable: false });
		expect(await failing(new LodeError("DISK_FULL", "full"), 3)).toMatchObject({ nonRetryable: true });
	});

	test("an error that nobody named is retried a few times, then parks the commit", async () => {
		expect(await failing(new TypeError("x is undefined"), 1)).toMatchObject({ type: "INTERNAL", nonRetryable: false });
		expect(await failing(new TypeError("x is undefined"), 5)).toMatchObject({ nonRetryable: true });
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
