import { describe, expect, test } from "vitest";
import { commitOrigin, contributorKey, fileOrigin, folderKey, originPath, repositoryKey, sourceId } from "./keys.js";

describe("source ids", () => {
	test.each([
		["https://example.org/team/Data-Platform.git", "main", /^data-platform-[0-9a-f]{12}$/],
		["/srv/repositories/shop/", "main", /^shop-[0-9a-f]{12}$/],
		["C:\\work\\Shop", "", /^shop-[0-9a-f]{12}$/],
		["git@example.org:team/shop.git", "main", /^shop-[0-9a-f]{12}$/],
		["/", "", /^source-[0-9a-f]{12}$/],
	])("%s at %s", (address, branch, expected) => {
		expect(sourceId(address, branch)).toMatch(expected);
	});

	test("tell branches of one repository apart", () => {
		expect(sourceId("/a", "main")).not.toBe(sourceId("/a", "next"));
	});
});

describe("keys", () => {
	test("the root folder is the repository", () => {
		expect(folderKey("s", "")).toBe(repositoryKey("s"));
	});

	test("a contributor is one person whatever the case of the address; without an address the name counts", () => {
		expect(contributorKey(" Ada@Example.org ", "Ada")).toBe(contributorKey("ada@example.org", "A. L."));
		expect(contributorKey("", "Ada")).toBe("contributor:ada");
	});

	test("only files have a path", () => {
		expect(originPath(fileOrigin("a/b"))).toBe("a/b");
		expect(originPath(commitOrigin("a"))).toBeUndefined();
	});
});
