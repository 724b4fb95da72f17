import { describe, expect, it } from "vitest";
import type { CommitInfo } from "../../domain/commits.js";
import { commitRecords } from "./commit-records.js";

const COMMIT: CommitInfo = {
	sha: "c".repeat(40),
	parents: ["b".repeat(40), "a".repeat(40)],
	authorName: "Ada L.",
	authorEmail: "Ada@Example.org",
	authoredAt: "2024-01-02T03:04:05.000Z",
	subject: "Add customers",
	paths: [],
};
const contributor = (commit: Partial<CommitInfo>) =>
	commitRecords("s", { ...COMMIT, ...commit }).find((record) => record.kind === "contributor");

describe("commitRecords", () => {
	it("states the commit with its parents, under the commit's origin", () => {
		const [commit] = commitRecords("s", COMMIT);
		expect(commit).toEqual({
			source: "s",
			origin: `commit:${COMMIT.sha}`,
			key: `commit:s:${COMMIT.sha}`,
			kind: "commit",
			name: "Add customers",
			props: {
				sha: COMMIT.sha,
				subject: "Add customers",
				authoredAt: COMMIT.authoredAt,
				authorName: "Ada L.",
				authorEmail: "Ada@Example.org",
			},
			edges: [
				{ kind: "PARENT", to: `commit:s:${"a".repeat(40)}` },
				{ kind: "PARENT", to: `commit:s:${"b".repeat(40)}` },
			],
			provides: [],
		});
	});

	it("lets the author implement the data models whose files the commit touches", () => {
		const paths = [
			"models/staging/stg_orders.sql",
			"seeds/raw.csv",
			"models/py_model.py",
			"db/schema.sql",
			"src/a.py",
			"models/schema.yml",
		];
		expect(contributor({ paths: [...paths, "other/models/stg_orders.sql"] })).toMatchObject({
			key: "contributor:ada@example.org",
			name: "Ada L.",
			props: { email: "ada@example.org" },
			edges: [
				{ kind: "AUTHORED", to: `commit:s:${COMMIT.sha}` },
				{ kind: "IMPLEMENTS", to: "name:s:model:dbt:py_model" },
				{ kind: "IMPLEMENTS", to: "name:s:model:dbt:raw" },
				{ kind: "IMPLEMENTS", to: "name:s:model:dbt:stg_orders" },
				{ kind: "IMPLEMENTS", to: "name:s:model:file:db/schema.sql" },
			],
		});
	});

	it("bounds edges and cuts long subjects between characters", () => {
		const paths = Array.from({ length: 5_000 }, (_, n) => `models/m${n}.sql`);
		expect(contributor({ paths })?.edges).toHaveLength(2_000);
		const [commit] = commitRecords("s", { ...COMMIT, subject: `a${"😀".repeat(100)}` });
		expect(commit?.name).toBe(`a${"😀".repeat(71)}`);
	});

	it("says the same of an author in every commit", () => {
		const { edges: _a, origin: _b, ...first } = contributor({}) ?? {};
		const {
			edges: _c,
			origin: _d,
			...second
		} = contributor({ sha: "d".repeat(40), authorEmail: "ada@example.org" }) ?? {};
		expect(second).toEqual(first);
		expect(contributor({ authorEmail: "", authorName: "" })?.name).toBe("unknown");
	});
});
