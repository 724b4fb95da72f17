import { stripVTControlCharacters } from "node:util";
import type { Reporter, SerializedError, TestModule } from "vitest/node";

const LINE = 300;

/**
 * What failed, a line each, and `Tests: N passed, N failed, N skipped` alone on the last line: for whoever reads the end of the log only, or by
 * program.
 */
export default class ClosingLineReporter implements Reporter {
	onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
		const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
		const failures: string[] = [];
		const fail = (where: string, errors: readonly { readonly message: string }[]) => {
			count.failed += errors.length;
			for (const error of errors) failures.push(`failed: ${where.replace(/\s+/g, " ")}: ${firstLine(error)}`);
		};
		fail("outside of any test", unhandled);
		for (const module of modules) {
			for (const test of module.children.allTests()) {
				const result = test.result();
				if (result.state === "failed") fail(`${module.relativeModuleId} > ${test.fullName}`, result.errors.slice(0, 1));
				else count[result.state] += 1;
			}
			// A file that does not load and a hook that throws fail the run, though no test did.
			fail(module.relativeModuleId, module.errors());
			for (const suite of module.children.allSuites())
				fail(`${module.relativeModuleId} > ${suite.fullName}`, suite.errors());
		}
		const total = `Tests: ${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`;
		// At the very end: the other reporters keep their errors until the process exits.
		process.once("exit", () => process.stdout.write(`${[...failures, total].join("\n")}\n`));
	}
}

function firstLine({ message }: { readonly message: string }): string {
	const [line = ""] = stripVTControlCharacters(String(message)).split("\n");
	return line.length > LINE ? `${line.slice(0, LINE)}…` : line;
}
