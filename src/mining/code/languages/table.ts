import type { LanguageSpec } from "../language-spec.js";
import { c, cpp } from "./c-family.js";
import { csharp } from "./csharp.js";
import { javascript, tsx, typescript } from "./ecmascript.js";
import { go } from "./go.js";
import { java } from "./java.js";
import { php } from "./php.js";
import { python } from "./python.js";
import { ruby } from "./ruby.js";
import { rust } from "./rust.js";

/** By the language id of the language table. */
export const LANGUAGES: ReadonlyMap<string, LanguageSpec> = new Map([
	["typescript", typescript],
	["tsx", tsx],
	["javascript", javascript],
	["python", python],
	["go", go],
	["java", java],
	["rust", rust],
	["c", c],
	["cpp", cpp],
	["csharp", csharp],
	["ruby", ruby],
	["php", php],
]);
