import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { datasetExtractor } from "./dataset-extractor.js";
import { withDuckDbFile } from "./datasets/duckdb-reader.js";
import { Findings } from "./inline-file.fixture.js";

const read = (path: string, content: string | Uint8Array) => Findings.of(datasetExtractor, path, content);

/** `[rows, columns, name type, ...]` of the one dataset. */
async function summary(path: string, content: string | Uint8Array): Promise<unknown[]> {
	const found = await read(path, content);
	const key = `dataset:shop:${path}`;
	const props = found.props(key);
	const columns = found.edges(key, "HAS_COLUMN").map((column) => {
		const name = column.slice(`column:dataset:${path}.`.length);
		return `${name} ${found.props(`column:dataset:shop:${path}.${name}`)?.type}`;
	});
	return [props?.rowCount, props?.columnCount, ...columns];
}

describe("datasets", () => {
	let folder: string;
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "lode-test-"));
	});
	afterAll(() => rm(folder, { recursive: true, force: true }));

	it.each<[string, string, unknown[]]>([
		["a.csv", 'id,Name,at\n1,x,2020-01-01\n2,"y\nz",2020-01-02\n', [2, 3, "Name VARCHAR", "at DATE", "id BIGINT"]],
		["a.csv", "id;v\r\n1;2.5\r\n", [1, 2, "id BIGINT", "v DOUBLE"]],
		[
			"a.csv",
			"id,ID,id_1,,id\n1,2,3,4,5\n",
			[1, 5, "ID BIGINT", "column3 BIGINT", "id BIGINT", "id_1 BIGINT", "id_2 BIGINT"],
		],
		["a.csv", '"city, state"\nBonn\n', [1, 1, "city, state VARCHAR"]],
		["a.csv", "", [0, 0]],
		["a.csv", "id,name\n", [0, 2, "id VARCHAR", "name VARCHAR"]],
		["a.csv", "a,b\nx,y\n", [1, 2, "a VARCHAR", "b VARCHAR"]],
		['it\'s "q".tsv', "a,b\tc\n1\t2\n", [1, 2, "a,b BIGINT", "c BIGINT"]],
		[
			"a.jsonl",
			'{"a":1,"b":{"c":[1]}}\n{"a":2.5,"__proto__":"x"}\n',
			[2, 3, "__proto__ VARCHAR", "a DOUBLE", "b STRUCT(c BIGINT[])"],
		],
		["a.ndjson", "\n", [0, 0]],
	])("%s: %j", async (path, content, expected) => {
		expect(await summary(path, content)).toEqual(expected);
	});

	it("reads Parquet", async () => {
		const instance = await DuckDBInstance.create(":memory:");
		const connection = await instance.connect();
		const file = join(folder, "a.parquet");
		await connection.run(`COPY (SELECT range::INTEGER AS id, 'x' AS name FROM range(7)) TO '${file}' (FORMAT parquet)`);
		expect(await summary("a.parquet", new Uint8Array(await readFile(file)))).toEqual([
			7,
			2,
			"id INTEGER",
			"name VARCHAR",
		]);
	});

	it("has statistics of each column, over all rows", async () => {
		const content = "id,name,at,price\n1,b,2020-01-02 03:04:05,1.5\n2,,2019-01-02 03:04:05,\n3,a,,2.5\n3,a,,2.0\n";
		const found = await read("a.csv", content);
		const statistics = (name: string) => found.props(`column:dataset:shop:a.csv.${name}`);
		expect(statistics("id")).toEqual({
			type: "BIGINT",
			nullCount: 0,
			distinctCount: 3,
			min: "1",
			max: "3",
			mean: 2.25,
		});
		expect(statistics("name")).toEqual({ type: "VARCHAR", nullCount: 1, distinctCount: 2, min: "a", max: "b" });
		expect(statistics("at")).toMatchObject({ nullCount: 2, min: "2019-01-02 03:04:05", max: "2020-01-02 03:04:05" });
		expect(statistics("price")).toMatchObject({ type: "DOUBLE", nullCount: 1, mean: 2, min: "1.5", max: "2.5" });
		const nested = await read("a.jsonl", '{"a":{"b":1},"l":[1,2]}\n{"a":null,"l":[3]}\n');
		expect(nested.props("column:dataset:shop:a.jsonl.a")).toEqual({
			type: "STRUCT(b BIGINT)",
			nullCount: 1,
			distinctCount: 1,
		});
		expect(nested.props("column:dataset:shop:a.jsonl.l")).toMatchObject({ nullCount: 0, distinctCount: 2 });
	});

	it("has statistics where names are hostile, values are large, and columns are many", async () => {
		const hostile = await read("a.csv", `"a""; DROP TABLE x; --",b\n"${"x".repeat(100_000)}",2\n`);
		expect(hostile.props("column:dataset:shop:a.csv.b")).toMatchObject({ nullCount: 0, min: "2" });
		expect(hostile.props('column:dataset:shop:a.csv.a"; DROP TABLE x; --')?.min).toBe("x".repeat(200));
		const columns = Array.from({ length: 1_000 }, (_, index) => `c${index}`);
		const wide = await read("a.csv", `${columns}\n${columns}\n`);
		expect(wide.props("column:dataset:shop:a.csv.c199")).toMatchObject({ min: "c199" });
		expect(wide.props("column:dataset:shop:a.csv.c200")).toEqual({ type: "VARCHAR" });
	});

	it("says when something happened in UTC, wherever it is read", async () => {
		const found = await read("a.csv", "at\n2020-01-02 03:04:05+05:00\n");
		expect(found.props("column:dataset:shop:a.csv.at")).toMatchObject({
			type: "TIMESTAMP WITH TIME ZONE",
			min: "2020-01-01 22:04:05+00",
		});
	});

	it("says the same of the same bytes", async () => {
		const content = "id,name\n1,a\n";
		expect((await read("a.csv", content)).extraction).toEqual((await read("a.csv", content)).extraction);
	});

	it.each<[string, string, string | Uint8Array, string]>([
		["rows of different length", "a.csv", "a,b\n1,2\n1,2,3\n4\n", "parse"],
		["a quote that never closes", "a.csv", 'a,b\n"x,y\n1,2,3\n', "parse"],
		["8 MiB of one character", "a.csv", "a".repeat(8 << 20), "parse"],
		["8 MiB of quotes", "a.csv", '"'.repeat(8 << 20), "parse"],
		["bytes that are no text", "a.csv", Uint8Array.of(0x61, 0x2c, 0x62, 0x0a, 0xe9, 0x2c, 0x31, 0x0a), "parse"],
		["100,000 columns", "a.csv", `${"a,".repeat(100_000)}\n`, "too_large"],
		["broken JSON", "a.jsonl", '{"a":1\n{"a":2}\n', "parse"],
		["deep JSON", "a.jsonl", `${'{"a":'.repeat(50_000)}1`, "nesting"],
		["100,000 keys", "a.jsonl", `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":1`).join(",")}}`, "too_large"],
		["a Parquet file that is none", "a.parquet", new TextEncoder().encode("PAR1 nothing PAR1"), "parse"],
	])("records %s, without a local path", async (_, path, content, reason) => {
		const found = await read(path, content);
		expect(found.skips).toEqual([reason]);
		expect(found.extraction.skips[0]?.detail).not.toMatch(/lode-duckdb|[\\/]tmp|\n/);
		expect(found.keys).toEqual([`dataset:shop:${path}`, `file:shop:${path}`]);
		expect(found.props(`dataset:shop:${path}`)?.rowCount).toBeUndefined();
	});

	it("counts every row of a large repetitive file", async () => {
		expect(await summary("a.csv", `a\n${"1\n".repeat(2 << 20)}`)).toEqual([2 << 20, 1, "a BIGINT"]);
	});

	it("gives DuckDB one file and nothing else", async () => {
		const denied = async (sql: string) => {
			await expect(withDuckDbFile(Uint8Array.of(0x61), (query) => query(sql))).rejects.toThrow(
				/disabled|locked|denied|Permission|Cannot/i,
			);
		};
		await denied(`SELECT * FROM read_text('${process.execPath.replaceAll("'", "''")}')`);
		await denied("SELECT * FROM read_csv('https://example.com/a.csv')");
		await denied("SET enable_external_access = true");
		await denied("SET memory_limit = '10GB'");
		await denied("INSTALL httpfs");
		await denied("ATTACH 'other.db'");
	});

	it("leaves nothing in the temporary folder, whatever happened", async () => {
		let folder = "";
		await withDuckDbFile(Uint8Array.of(0x61), async (query) => {
			const [row] = await query("SELECT $FILE AS path");
			folder = dirname(String(row?.path));
			expect(await readdir(folder)).toEqual(["file"]);
			throw new Error("stop");
		}).catch(() => undefined);
		await expect(readdir(folder)).rejects.toThrow("ENOENT");
	});
});
