import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Seconds that files take which take long, on two cores: as they were on 2026-11-28, when each ran beside another one. */
export const SECONDS: Readonly<Record<string, number>> = {
	"test/crash/kill-servers.crash.spec.ts": 250,
	"test/crash/storm.crash.spec.ts": 107,
	"test/e2e/cli.e2e.spec.ts": 99,
	"test/contract/vectors.weaviate.contract.spec.ts": 98,
	"test/e2e/bad-input.e2e.spec.ts": 78,
	"test/integration/parking.int.spec.ts": 77,
	"test/crash/kill-worker.crash.spec.ts": 76,
	"test/e2e/webhooks.e2e.spec.ts": 58,
	"test/integration/weaviate.int.spec.ts": 55,
	"test/e2e/demo.e2e.spec.ts": 54,
	"test/e2e/two-workers.e2e.spec.ts": 44,
	"test/e2e/documentation.e2e.spec.ts": 40,
	"test/integration/rebuild.int.spec.ts": 38,
	"test/e2e/api.e2e.spec.ts": 38,
	"test/contract/graph.dgraph.contract.spec.ts": 38,
	"test/integration/odd-orders.int.spec.ts": 34,
	"test/e2e/rebuild.e2e.spec.ts": 32,
	"test/integration/access.int.spec.ts": 31,
	"test/workflows/ingest-commit-endings.workflow.spec.ts": 30,
	"test/integration/dgraph.int.spec.ts": 30,
	"test/integration/snapshot-isolation.int.spec.ts": 28,
	"test/integration/parity-profiles.int.spec.ts": 28,
	"test/integration/parity-corpora.int.spec.ts": 27,
	"test/contract/source.lakefs.contract.spec.ts": 23,
	"test/workflows/follow-source-long.workflow.spec.ts": 21,
	"test/e2e/events.e2e.spec.ts": 21,
	"test/workflows/ingest-commit.workflow.spec.ts": 20,
	"test/integration/incremental.int.spec.ts": 20,
	"test/integration/lakefs-ingestion.int.spec.ts": 19,
	"test/integration/servers.int.spec.ts": 19,
	"test/integration/runtime.int.spec.ts": 19,
	"test/integration/tampering.int.spec.ts": 18,
	"test/integration/rest-writes.int.spec.ts": 17,
	"test/e2e/lakefs-webhooks.e2e.spec.ts": 17,
	"test/e2e/dev-api.e2e.spec.ts": 16,
	"test/contract/artifacts.s3.contract.spec.ts": 16,
	"test/workflows/ingest-commit-small.workflow.spec.ts": 15,
	"test/integration/hits-agree-with-git.int.spec.ts": 15,
	"test/e2e/plugins.e2e.spec.ts": 15,
	"src/mining/mining-pool.unit.spec.ts": 15,
	"test/contract/source.folder.contract.spec.ts": 14,
};

/**
 * The longest files first, so that short ones are left for the end and no worker waits long for another one's last file. A clean clone has no
 * times of an earlier run, by which Vitest would order them. A file that is not named here is taken for a short one.
 */
export default class LongestFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		const seconds = ({ moduleId }: TestSpecification) => SECONDS[relative(this.ctx.config.root, moduleId)] ?? 0;
		return (await super.sort(files)).sort((a, b) => seconds(b) - seconds(a));
	}
}
