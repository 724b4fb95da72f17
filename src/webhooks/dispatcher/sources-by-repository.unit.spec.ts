import { expect, test } from "vitest";
import { SourcesByRepository } from "./sources-by-repository.js";

test("a receipt means the sources of its repository, whichever way the address is written, at its branch", () => {
	const shop = "https://git.example/team/shop.git";
	const found = new SourcesByRepository([
		{ id: "main", address: shop, branch: "main" },
		{ id: "next", address: "git@git.example:team/shop", branch: "next" },
		{ id: "detached", address: shop, branch: "HEAD" },
		{ id: "folder", address: "/srv/shop", branch: "" },
		{ id: "lake", address: "lakefs://shop", branch: "main" },
	]);
	const of = (branch: string | undefined, ...repository: string[]) =>
		found.of({ repository, ...(branch !== undefined && { branch }) }).map(({ id }) => id);
	expect(of("main", "ssh://git@git.example/team/shop.git")).toEqual(["main", "detached"]);
	expect(of("next", shop, "git@git.example:team/shop.git")).toEqual(["next", "detached"]);
	expect(of(undefined, shop)).toEqual(["main", "next", "detached"]);
	expect(of("main", "/srv/shop/")).toEqual(["folder"]);
	expect(of("main", "lakefs://shop")).toEqual(["lake"]);
	expect(of("other", "lakefs://shop")).toEqual([]);
	expect(of("main", "https://git.example/team/other")).toEqual([]);
});
