import { textTerms } from "./terms.js";

/** English words without a subject of their own. Left out of a query when another word is in it; always indexed. */
const WORDS =
	"a an and are as at be been but by can could did do does doing for from had has have how i if in into is it its just " +
	"may me might more most must my no nor not of on or our out over own same should so some such than that the their them " +
	"then there these they this those to too up us very was we were what when where which while who why will with would " +
	"you your use used using via instead also only";

export const STOP_TERMS: ReadonlySet<string> = new Set(WORDS.split(" ").flatMap(textTerms));
