import type { Extractor } from "./extractor.js";
import { markdownExtractor } from "./markdown/markdown-extractor.js";

/** Every extractor. Where several give regions for a file, the chunks follow the first of them. */
export const EXTRACTORS: readonly Extractor[] = [markdownExtractor];
