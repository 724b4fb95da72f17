import { describe, expect, it } from "vitest";
import { decodeFile, maxTextBytes } from "./decode.js";

const reason = (bytes: Uint8Array): string | undefined => decodeFile(bytes).skip?.reason;

describe("decodeFile", () => {
	it("decodes UTF-8 and takes the byte order mark off", () => {
		expect(decodeFile(Buffer.from("\uFEFFä\r\n")).text).toBe("ä\r\n");
		expect(decodeFile(new Uint8Array()).text).toBe("");
	});

	it("decodes UTF-16 with a byte order mark", () => {
		const little = Buffer.from("\uFEFFhello\n", "utf16le");
		expect(decodeFile(little).text).toBe("hello\n");
		expect(decodeFile(Buffer.from(little).swap16()).text).toBe("hello\n");
	});

	it("refuses bytes that are not text in the encoding they claim", () => {
		expect(reason(Buffer.from([0x61, 0xff, 0x62]))).toBe("encoding");
		expect(reason(Buffer.from([0xc0, 0x80]))).toBe("encoding");
		expect(reason(Buffer.from([0xff, 0xfe, 0x00, 0xd8]))).toBe("encoding");
		expect(reason(Buffer.from([0xff, 0xfe, 0x61]))).toBe("encoding");
	});

	it("takes a NUL anywhere for binary", () => {
		expect(reason(Buffer.from("a\0b"))).toBe("binary");
		expect(reason(Buffer.from(`${"a".repeat(20_000)}\0`))).toBe("binary");
		expect(reason(Buffer.from([0xff, 0xfe, 0x00, 0x00, 0x61, 0, 0, 0]))).toBe("binary");
		expect(reason(Buffer.from([0xff, 0xfe, 0x61, 0x00, 0x00, 0x00]))).toBe("binary");
	});

	it("refuses text over the bound, and calls what is binary binary however large", () => {
		expect(reason(Buffer.alloc(maxTextBytes, "a"))).toBeUndefined();
		expect(reason(Buffer.alloc(maxTextBytes + 1, "a"))).toBe("too_large");
		expect(reason(Buffer.alloc(maxTextBytes + 1))).toBe("binary");
	});

	it("knows an LFS pointer", () => {
		const oid = `sha256:${"4d".repeat(32)}`;
		const pointer = `version https://git-lfs.github.com/spec/v1\noid ${oid}\nsize 12345\n`;
		expect(decodeFile(Buffer.from(pointer))).toMatchObject({
			skip: { reason: "lfs_pointer" },
			lfs: { oid, size: 12345 },
		});
		expect(reason(Buffer.from(`see ${pointer}`))).toBeUndefined();
	});
});
