// Assembles src/stores/vectors/sqlite/memory/hamming.wat into the module that holds its code. Run it after a change of the text.
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const folder = new URL("../src/stores/vectors/sqlite/memory/", import.meta.url);
const { parseWat } = await wabt();
const module = parseWat("hamming.wat", readFileSync(new URL("hamming.wat", folder), "utf8"), { simd: true });
const code = Buffer.from(module.toBinary({}).buffer).toString("base64");
writeFileSync(
	new URL("hamming-kernel-code.ts", folder),
	`/** hamming.wat, assembled by scripts/assemble-kernels.mjs; base64. */\nexport const HAMMING_KERNEL =\n\t"${code}";\n`,
);
