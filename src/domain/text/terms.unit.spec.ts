import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, it } from "vitest";
import { porterStem } from "./porter-stem.js";
import { identifierParts, textTerms } from "./terms.js";

it("splits identifiers at case, underscores, digits and acronyms, and keeps them whole too", () => {
	expect(identifierParts("HTTPServer_v2")).toEqual(["http", "server", "v", "2"]);
	expect(textTerms("readTimeout")).toEqual(["read", "timeout", "readtimeout"]);
	expect(textTerms("read_timeout")).toEqual(["read", "timeout", "readtimeout"]);
	expect(textTerms("$scope.__init__(self)")).toEqual(["scope", "init", "self"]);
	expect(textTerms("Größe élan ÉCLAIR")).toEqual(["größe", "élan", "éclair"]);
	expect(textTerms("東京都 に")).toEqual(["東京", "京都", "に"]);
	expect(textTerms(`${"x".repeat(65)} "quoted" \0 * 💥 -`)).toEqual(["quot"]);
});

it("gives terms that the index's tokenizer leaves as they are", () => {
	const database = new DatabaseSync(":memory:");
	database.exec(
		"CREATE VIRTUAL TABLE t USING fts5(x, tokenize='ascii'); CREATE VIRTUAL TABLE v USING fts5vocab('t', 'instance')",
	);
	fc.assert(
		fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
			const terms = textTerms(text);
			database.exec("DELETE FROM t");
			database.prepare("INSERT INTO t (x) VALUES (?)").run(terms.join(" "));
			const rows = database.prepare("SELECT term FROM v ORDER BY offset").all();
			expect(rows.map((row) => row.term)).toEqual(terms);
		}),
	);
	database.close();
});

it("stems as SQLite's porter tokenizer does", () => {
	const database = new DatabaseSync(":memory:");
	database.exec(
		"CREATE VIRTUAL TABLE t USING fts5(x, tokenize='porter ascii'); CREATE VIRTUAL TABLE v USING fts5vocab('t', 'instance')",
	);
	const endings = [
		"",
		"s",
		"es",
		"ed",
		"ing",
		"er",
		"ly",
		"ness",
		"ation",
		"ational",
		"ization",
		"iveness",
		"ful",
		"ies",
		"y",
		"ement",
		"ity",
		"able",
	];
	const stems = [
		"connect",
		"rout",
		"relat",
		"happ",
		"hop",
		"hopp",
		"tr",
		"siz",
		"fall",
		"fail",
		"agre",
		"cr",
		"gener",
		"oper",
		"sens",
		"vietnam",
		"conform",
		"sk",
		"ski",
		"lik",
	];
	const words = stems.flatMap((stem) => endings.map((ending) => stem + ending));
	database.prepare("INSERT INTO t (x) VALUES (?)").run(words.join(" "));
	const stemmed = database
		.prepare("SELECT term FROM v ORDER BY offset")
		.all()
		.map((row) => row.term);
	expect(words.map(porterStem)).toEqual(stemmed);
	database.close();
});
