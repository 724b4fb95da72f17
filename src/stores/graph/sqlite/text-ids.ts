import type { SqliteDatabase } from "../../sqlite/sqlite-database.js";

/** Texts of a kind whose numbers are remembered, at least: some ten megabytes. Twice as many at most. */
const KEPT = 25_000;

/** Numbers by text, those used last: when the young ones are as many as are kept, the ones before them go. */
class Remembered {
	#young = new Map<string, number>();
	#old = new Map<string, number>();

	get(text: string): number | undefined {
		const young = this.#young.get(text);
		if (young !== undefined) return young;
		const old = this.#old.get(text);
		if (old !== undefined) this.set(text, old);
		return old;
	}

	set(text: string, id: number): void {
		if (this.#young.size >= KEPT) [this.#old, this.#young] = [this.#young, new Map()];
		this.#young.set(text, id);
	}

	clear(): void {
		this.#young.clear();
		this.#old.clear();
	}
}

/** Numbers of texts, given on first use. They are remembered until somebody else writes to the file: a deletion may have freed them. */
export class TextIds {
	#version: number | undefined;
	readonly #sources = new Map<string, number>();
	readonly #origins = new Remembered();
	readonly #terms = new Remembered();
	readonly #findTerm;
	readonly #insertTerm;
	readonly #findOrigin;
	readonly #insertOrigin;

	constructor(private readonly database: SqliteDatabase) {
		this.#findTerm = database.prepare("SELECT id FROM term WHERE text = ?");
		this.#insertTerm = database.prepare("INSERT INTO term (text) VALUES (?)");
		this.#findOrigin = database.prepare("SELECT id FROM origin WHERE source = ? AND name = ?");
		this.#insertOrigin = database.prepare("INSERT INTO origin (source, name) VALUES (?, ?)");
	}

	/** Numbers hold within it. Of a transaction that failed none was given. */
	within(write: () => void): void {
		try {
			this.database.transaction(() => {
				this.#forgetOutdated();
				write();
			});
		} catch (error) {
			this.forget();
			throw error;
		}
	}

	/** What the reads of `read` find may be remembered by `learn`: they see one state of the file. */
	reading<T>(read: () => T): T {
		return this.database.read(() => {
			this.#forgetOutdated();
			return read();
		});
	}

	/** Of a term that was just read, and will be written soon. */
	learn(text: string, id: number): void {
		this.#terms.set(text, id);
	}

	/** To be called before anything is deleted on this connection. */
	forget(): void {
		for (const known of [this.#sources, this.#origins, this.#terms]) known.clear();
	}

	term(text: string): number {
		const known = this.#terms.get(text);
		if (known !== undefined) return known;
		const id = this.#findTerm.get<{ id: number }>([text])?.id ?? this.#insertTerm.run([text]).lastInsertRowid;
		this.#terms.set(text, id);
		return id;
	}

	origin(source: string, origin: string): number {
		const sourceId = this.source(source);
		const name = `${sourceId} ${origin}`;
		const known = this.#origins.get(name);
		if (known !== undefined) return known;
		const id =
			this.#findOrigin.get<{ id: number }>([sourceId, origin])?.id ??
			this.#insertOrigin.run([sourceId, origin]).lastInsertRowid;
		this.#origins.set(name, id);
		return id;
	}

	source(source: string): number {
		const known = this.#sources.get(source);
		if (known !== undefined) return known;
		const id =
			this.database.prepare("SELECT id FROM source WHERE name = ?").get<{ id: number }>([source])?.id ??
			this.database.prepare("INSERT INTO source (name) VALUES (?)").run([source]).lastInsertRowid;
		this.#sources.set(source, id);
		return id;
	}

	/** The version is that of the transaction's view. */
	#forgetOutdated(): void {
		const { data_version: version } = this.database.prepare("PRAGMA data_version").get() as { data_version: number };
		if (version !== this.#version) this.forget();
		this.#version = version;
	}
}
