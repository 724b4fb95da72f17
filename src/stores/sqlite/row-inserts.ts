import type { SQLInputValue } from "node:sqlite";
import type { SqliteDatabase, Statement } from "./sqlite-database.js";

/** To start and to end a statement costs more than a narrow row does: so many go with one. */
const ROWS_TOGETHER = 32;

/** Rows of one table that are inserted some dozens at a time. `into`: the table and its columns, e.g. `edge (state, kind, target)`. Use it within a transaction. */
export class RowInserts {
	readonly #many: Statement;
	readonly #one: Statement;
	readonly #values: number;
	#waiting: SQLInputValue[] = [];

	constructor(database: SqliteDatabase, into: string) {
		const columns = into.split(",").length;
		const row = `(${Array(columns).fill("?").join(", ")})`;
		this.#one = database.prepare(`INSERT INTO ${into} VALUES ${row}`);
		this.#many = database.prepare(`INSERT INTO ${into} VALUES ${Array(ROWS_TOGETHER).fill(row).join(", ")}`);
		this.#values = columns;
	}

	add(...row: readonly SQLInputValue[]): void {
		for (const value of row) this.#waiting.push(value);
		if (this.#waiting.length < ROWS_TOGETHER * this.#values) return;
		this.#many.run(this.#waiting);
		this.#waiting = [];
	}

	/** Inserts what is left. */
	end(): void {
		for (let at = 0; at < this.#waiting.length; at += this.#values)
			this.#one.run(this.#waiting.slice(at, at + this.#values));
		this.#waiting = [];
	}
}
