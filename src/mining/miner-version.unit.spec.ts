import { expect, it } from "vitest";
import { CORE_VERSION } from "./mine-file.js";
import { minerVersion } from "./miner-version.js";
import { EXTRACTORS } from "./table.js";

it("is the version of every extractor, in order", () => {
	const versions = EXTRACTORS.map(({ name, version }) => `${name}@${version}`).sort();
	expect(minerVersion).toBe([`core@${CORE_VERSION}`, ...versions].join(";"));
});
