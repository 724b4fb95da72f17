import { COMMIT_KIND } from "../../domain/mined-file.js";
import type { SearchFilter } from "./vectors.port.js";

/** What a filter asks for: only what commits say, and nothing of the files. */
export const onlyCommits = ({ kinds }: SearchFilter): boolean => kinds?.length === 1 && kinds[0] === COMMIT_KIND;
