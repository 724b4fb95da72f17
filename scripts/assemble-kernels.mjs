// Assembles src/stores/vectors/sqlite/memory/scan-kernel.wat into the module that holds its code. Run it after a change of the text.
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const folder = new URL("../src/stores/vectors/sqlite/memory/", import.meta.url);
const { parseWat } = await wabt();
const module = parseWat("scan-kernel.wat", readFileSync(new URL("scan-kernel.wat", folder), "utf8"), { simd: true });
const code = Buffer.from(module.toBinary({}).buffer).toString("base64");
writeFileSync(
	new URL("scan-kernel-code.ts", folder),
	`/** scan-kernel.wat, assembled by scripts/assemble-kernels.mjs; base64. */\nexport const SCAN_KERNEL =\n\t"${code}";\n`,
);
