import { describe, expect, it } from "vitest";
import { LodeError } from "../../../domain/errors.js";
import { archiveError } from "./folder-errors.js";

describe("failures of the file system", () => {
	it.each([
		["ENOSPC", "DISK_FULL"],
		["EDQUOT", "DISK_FULL"],
		["EACCES", "PERMISSION_DENIED"],
		["EROFS", "PERMISSION_DENIED"],
		["EIO", "STORE_UNAVAILABLE"],
		["EMFILE", "STORE_UNAVAILABLE"],
	])("%s is %s and names operation and thing", (code, expected) => {
		const cause = Object.assign(new Error("no"), { code });
		const error = archiveError(cause, "store", "abc");
		expect(error).toMatchObject({ code: expected, cause });
		expect(error.message).toContain("store abc");
		expect(error.next).toBeDefined();
	});

	it("passes on what is one of ours already", () => {
		const error = new LodeError("STORE_CORRUPT", "x");
		expect(archiveError(error, "store", "abc")).toBe(error);
	});
});
