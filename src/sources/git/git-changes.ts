import type { Change, FileEntry, FileMode } from "../../domain/commits.js";
import { LodeError } from "../../domain/errors.js";
import { pages } from "../pages.js";
import { encodePath } from "../path-name.js";
import { blobSizes, type ObjectReader } from "./git-objects.js";
import { nulTokens } from "./nul-tokens.js";

const PAGE = 1_000;
/** Longer than any file system allows; only a hostile tree has such names. Bytes. */
const MAX_PATH = 32 * 1024;

/** What a diff says of one path, before the size of its content is known. */
type RawChange =
	| { readonly type: "added" | "modified"; readonly path: string; readonly blob: string; readonly mode: FileMode }
	| { readonly type: "removed"; readonly path: string };

/** Every file of a commit as `added`, ordered by the bytes of the path, in pages. */
export async function* treeChanges(reader: ObjectReader, commit: string): AsyncGenerator<readonly Change[]> {
	const list = [...reader.args, "ls-tree", "-r", "-z", "-l", "--full-tree", commit];
	yield* pages(treeEntries(reader.git.output(list, reader.call, reader.failed)), PAGE);
}

/** The difference of two commits' trees, ordered by the bytes of the path, in pages. Renames are a removal and an addition. */
export async function* diffChanges(reader: ObjectReader, from: string, to: string): AsyncGenerator<readonly Change[]> {
	const diff = [...reader.args, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", from, to, "--"];
	const output = reader.git.output(diff, reader.call, reader.failed);
	for await (const page of pages(rawChanges(output), PAGE)) {
		const contents = page.flatMap((change) =>
			change.type !== "removed" && change.mode !== "submodule" ? [change.blob] : [],
		);
		const sizes = await blobSizes(reader, contents);
		let next = 0;
		yield page.map((change): Change => {
			if (change.type === "removed") return change;
			const { type, path, blob, mode } = change;
			return { type, file: { path, blob, mode, size: mode === "submodule" ? 0 : (sizes[next++] as number) } };
		});
	}
}

async function* treeEntries(chunks: AsyncIterable<Buffer>): AsyncGenerator<Change> {
	const order = new PathOrder();
	for await (const token of nulTokens(chunks)) {
		const tab = token.indexOf(0x09);
		const match = /^(\d{6}) (\w+) ([0-9a-f]+) +(\d+|-|BAD)$/.exec(token.toString("latin1", 0, Math.max(tab, 0)));
		if (match === null) throw damaged("git listed something else than files");
		const [, rawMode, , blob, size] = match as unknown as [string, string, string, string, string];
		const path = order.next(token.subarray(tab + 1));
		const mode = fileMode(rawMode);
		if (size === "BAD") throw damaged(`the content of ${path} is missing`);
		const file: FileEntry = { path, blob, mode, size: mode === "submodule" ? 0 : Number(size) };
		yield { type: "added", file };
	}
}

async function* rawChanges(chunks: AsyncIterable<Buffer>): AsyncGenerator<RawChange> {
	const order = new PathOrder();
	let header: RegExpExecArray | undefined;
	for await (const token of nulTokens(chunks)) {
		if (header === undefined) {
			const match = /^:(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([AMDT])$/.exec(token.toString("latin1"));
			if (match === null) throw damaged("git compared something else than files");
			header = match;
			continue;
		}
		const [, , mode, , blob, status] = header as unknown as [string, string, string, string, string, string];
		header = undefined;
		const path = order.next(token);
		if (status === "D") yield { type: "removed", path };
		// T is a change of type, such as from a file to a symlink: the same path with another content.
		else yield { type: status === "A" ? "added" : "modified", path, blob, mode: fileMode(mode) };
	}
}

function fileMode(mode: string): FileMode {
	const bits = Number.parseInt(mode, 8);
	if (bits === 0o160000) return "submodule";
	if (bits === 0o120000) return "symlink";
	// Old repositories have other permissions than 644 and 755; git checks out by the owner's execute bit.
	return (bits & 0o100) === 0 ? "file" : "executable";
}

/** Holds git to its order: only a damaged or forged tree has a path twice or out of order, and a record can only have one. */
class PathOrder {
	#last: Buffer | undefined;

	next(path: Buffer): string {
		if (path.length > MAX_PATH) throw damaged("a path is longer than any file system allows");
		if (this.#last !== undefined && Buffer.compare(this.#last, path) >= 0) {
			throw damaged(`${encodePath(path)} stands twice or out of order`);
		}
		this.#last = Buffer.from(path);
		return encodePath(path);
	}
}

function damaged(what: string): LodeError {
	return new LodeError("REPOSITORY_UNREADABLE", `Reading the tree of a commit failed: ${what}.`, {
		next: "Check the repository with: git fsck",
	});
}
