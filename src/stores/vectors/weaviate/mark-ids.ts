/** Of objects beside the chunks, the last in a cursor's order. They have no other property than a content, so that no filter of ours finds them. */
const MARKS = "ffffffff-ffff-8fff-bfff-";
const LAST = 0xffff_ffff_ffff;

/** The mark before so many others, from the last one on. */
export const markId = (before: number): string => MARKS + (LAST - before).toString(16);
export const isMark = (id: string): boolean => id.startsWith(MARKS);
