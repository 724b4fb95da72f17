import type { Reporter, SerializedError, TestModule } from "vitest/node";

/** `Tests: N passed, N failed, N skipped` alone on the last line, for whoever reads the log by program. */
export default class ClosingLineReporter implements Reporter {
	onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
		const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
		for (const module of modules) {
			for (const test of module.children.allTests()) count[test.result().state] += 1;
			// A file that does not load and a hook that throws fail the run, though no test did.
			count.failed += module.errors().length;
			for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
		}
		const line = `Tests: ${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped\n`;
		// At the very end: the other reporters keep their errors until the process exits.
		process.once("exit", () => process.stdout.write(line));
	}
}
