import { type SqlDialect, SqlLexer } from "./sql-lexer.js";

export interface SqlStatement {
	/** Offsets of the first token and behind the last one, without the delimiter. */
	readonly start: number;
	readonly end: number;
	/** The first eight words, upper case: enough to tell what the statement is. */
	readonly head: readonly string[];
}

const HEAD_WORDS = 8;
const ROUTINES = new Set(["PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"]);

/**
 * The statements of a script or a dump. Understands dollar quotes, bodies between BEGIN and END, MySQL's DELIMITER, GO lines of
 * SQL Server, psql's backslash commands and the data behind `COPY ... FROM stdin`.
 */
export function* splitStatements(text: string, dialect: SqlDialect): Generator<SqlStatement> {
	const lexer = new SqlLexer(text, dialect);
	let delimiter = ";";
	let start = -1;
	let end = -1;
	let head: string[] = [];
	let words = 0;
	let blocks = 0;
	let lastWord = "";

	const flush = (): SqlStatement | undefined => {
		const statement = start === -1 ? undefined : { start, end, head };
		start = -1;
		head = [];
		words = 0;
		blocks = 0;
		lastWord = "";
		return statement;
	};

	while (lexer.next()) {
		const code = text.charCodeAt(lexer.start);
		if (start === -1 && code === 0x5c) {
			lexer.jump(endOfLine(text, lexer.start));
			continue;
		}
		const plain = delimiter === ";";
		if (plain ? code === 0x3b && blocks === 0 : text.startsWith(delimiter, lexer.start)) {
			lexer.jump(lexer.start + delimiter.length);
			const isCopy = head[0] === "COPY" && lastWord === "STDIN";
			const statement = flush();
			if (statement !== undefined) yield statement;
			if (isCopy) lexer.jump(copyDataEnd(text, lexer.end));
			continue;
		}
		if (lexer.kind === "word") {
			const word = lexer.end - lexer.start > 20 ? "" : text.slice(lexer.start, lexer.end).toUpperCase();
			if (word === "DELIMITER" && start === -1) {
				const stop = endOfLine(text, lexer.end);
				delimiter = text.slice(lexer.end, stop).trim().slice(0, 16) || ";";
				lexer.jump(stop);
				continue;
			}
			if (word === "GO" && aloneOnLine(text, lexer.start, lexer.end)) {
				const statement = flush();
				if (statement !== undefined) yield statement;
				continue;
			}
			if (words < HEAD_WORDS) {
				head.push(word);
				words += 1;
			}
			if (head[0] === "CREATE" || head[0] === "ALTER") blocks = blockDepth(blocks, head, word, lastWord);
			lastWord = word;
		}
		if (start === -1) start = lexer.start;
		end = lexer.end;
	}
	const last = flush();
	if (last !== undefined) yield last;
}

/** Counts BEGIN and CASE against END in the body of a routine; elsewhere a semicolon always ends the statement. */
function blockDepth(depth: number, head: readonly string[], word: string, before: string): number {
	if (word === "BEGIN") return head.some((part) => ROUTINES.has(part)) ? depth + 1 : depth;
	if (depth === 0) return 0;
	if (word === "CASE") return before === "END" ? depth : depth + 1;
	// END IF, END LOOP and their like close what was not counted: taken back when the word behind END is seen.
	if (
		before === "END" &&
		(word === "IF" || word === "LOOP" || word === "WHILE" || word === "REPEAT" || word === "FOR")
	) {
		return depth + 1;
	}
	return word === "END" ? depth - 1 : depth;
}

function copyDataEnd(text: string, from: number): number {
	const mark = text.indexOf("\n\\.", from);
	return mark === -1 ? text.length : endOfLine(text, mark + 1);
}

function endOfLine(text: string, from: number): number {
	const end = text.indexOf("\n", from);
	return end === -1 ? text.length : end;
}

function aloneOnLine(text: string, start: number, end: number): boolean {
	const from = text.lastIndexOf("\n", start - 1) + 1;
	return text.slice(from, Math.min(endOfLine(text, end), from + 200)).trim().length === end - start;
}
