import { describe, expect, test } from "vitest";
import { publicAddresses } from "./remote-policy.js";

/** Real: the system's resolver, of names that need no network. */
const outcome = (host: string, allowed: string[] = []) =>
	publicAddresses(host, allowed).catch(({ code }: { code: string }) => code);

describe("a host", () => {
	test.each([
		"127.0.0.1",
		"127.1.2.3",
		"0.0.0.0",
		"10.0.0.1",
		"172.31.255.255",
		"192.168.1.1",
		"169.254.169.254",
		"100.64.0.1",
		"192.0.2.1",
		"198.18.0.1",
		"224.0.0.1",
		"240.0.0.1",
		"255.255.255.255",
		"[::1]",
		"[::]",
		"[::ffff:127.0.0.1]",
		"[::ffff:a00:1]",
		"[64:ff9b::7f00:1]",
		"[2002:7f00:1::]",
		"[fc00::1]",
		"[fd12:3456::1]",
		"[fe80::1]",
		"[ff02::1]",
		"localhost",
		"2130706433",
		"0x7f000001",
		"0177.0.0.1",
		"127.1",
		"nowhere.invalid",
		"",
	])("%s is not public", async (host) => {
		expect(await outcome(host)).toBe("FORBIDDEN");
	});

	test.each(["1.1.1.1", "8.8.8.8", "[2606:4700:4700::1111]"])("%s is public", async (host) => {
		expect(await outcome(host)).toEqual([host.replace(/[[\]]/g, "")]);
	});

	test("may be allowed by name, by address and by range, and nothing beside it is", async () => {
		expect(await outcome("localhost", ["LocalHost"])).not.toBe("FORBIDDEN");
		expect(await outcome("10.1.2.3", ["10.1.0.0/16"])).toEqual(["10.1.2.3"]);
		expect(await outcome("10.2.2.3", ["10.1.0.0/16"])).toBe("FORBIDDEN");
		expect(await outcome("192.168.0.7", ["192.168.0.7"])).toEqual(["192.168.0.7"]);
		expect(await outcome("[::ffff:192.168.0.7]", ["192.168.0.7"])).toEqual(["::ffff:192.168.0.7"]);
		expect(await outcome("192.168.0.70", ["192.168.0.7", "not an address", "fd00::/8"])).toBe("FORBIDDEN");
		expect(await outcome("[fd00::1]", ["fd00::/8"])).toEqual(["fd00::1"]);
	});
});
