/**
 * M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, with the author's two published departures
 * (`-bli`, `-logi`), so that it agrees with SQLite's `porter` tokenizer. Only a-z words of 3 to 64 letters are stemmed.
 * Stemming here and not in the engine makes the terms of an index known exactly: their frequencies can be asked for
 * before a query runs, and every engine indexes the same terms.
 */
const isConsonant = (word: string, at: number): boolean => {
	switch (word.charCodeAt(at)) {
		case 97: // a
		case 101: // e
		case 105: // i
		case 111: // o
		case 117: // u
			return false;
		case 121: // y
			return at === 0 || !isConsonant(word, at - 1);
		default:
			return true;
	}
};

/** How many vowel-consonant sequences the stem has. */
function measure(stem: string): number {
	let count = 0;
	let vowelBefore = false;
	for (let at = 0; at < stem.length; at += 1) {
		const consonant = isConsonant(stem, at);
		if (consonant && vowelBefore) count += 1;
		vowelBefore = !consonant;
	}
	return count;
}

function hasVowel(stem: string): boolean {
	for (let at = 0; at < stem.length; at += 1) if (!isConsonant(stem, at)) return true;
	return false;
}

function endsDouble(word: string): boolean {
	const last = word.length - 1;
	return last > 0 && word[last] === word[last - 1] && isConsonant(word, last);
}

function endsCvc(word: string): boolean {
	const last = word.length - 1;
	if (last < 2 || !isConsonant(word, last) || isConsonant(word, last - 1) || !isConsonant(word, last - 2)) return false;
	return !"wxy".includes(word.charAt(last));
}

type Rule = readonly [suffix: string, replacement: string];

const STEP2: readonly Rule[] = [
	["ational", "ate"],
	["tional", "tion"],
	["enci", "ence"],
	["anci", "ance"],
	["izer", "ize"],
	["bli", "ble"],
	["alli", "al"],
	["entli", "ent"],
	["eli", "e"],
	["ousli", "ous"],
	["ization", "ize"],
	["ation", "ate"],
	["ator", "ate"],
	["alism", "al"],
	["iveness", "ive"],
	["fulness", "ful"],
	["ousness", "ous"],
	["aliti", "al"],
	["iviti", "ive"],
	["biliti", "ble"],
	["logi", "log"],
];
const STEP3: readonly Rule[] = [
	["icate", "ic"],
	["ative", ""],
	["alize", "al"],
	["iciti", "ic"],
	["ical", "ic"],
	["ful", ""],
	["ness", ""],
];
const STEP4: readonly string[] = [
	"al",
	"ance",
	"ence",
	"er",
	"ic",
	"able",
	"ible",
	"ant",
	"ement",
	"ment",
	"ent",
	"ion",
	"ou",
	"ism",
	"ate",
	"iti",
	"ous",
	"ive",
	"ize",
];

function replaceFirstMatch(word: string, rules: readonly Rule[]): string {
	for (const [suffix, replacement] of rules) {
		if (!word.endsWith(suffix)) continue;
		const stem = word.slice(0, -suffix.length);
		return measure(stem) > 0 ? stem + replacement : word;
	}
	return word;
}

function step1(word: string): string {
	let result = word;
	if (result.endsWith("sses") || result.endsWith("ies")) result = result.slice(0, -2);
	else if (result.endsWith("s") && !result.endsWith("ss")) result = result.slice(0, -1);

	if (result.endsWith("eed")) {
		if (measure(result.slice(0, -3)) > 0) result = result.slice(0, -1);
	} else {
		const cut = result.endsWith("ed") ? 2 : result.endsWith("ing") ? 3 : 0;
		if (cut > 0 && hasVowel(result.slice(0, -cut))) {
			result = result.slice(0, -cut);
			if (result.endsWith("at") || result.endsWith("bl") || result.endsWith("iz")) result += "e";
			else if (endsDouble(result) && !"lsz".includes(result.charAt(result.length - 1))) result = result.slice(0, -1);
			else if (measure(result) === 1 && endsCvc(result)) result += "e";
		}
	}
	return result.endsWith("y") && hasVowel(result.slice(0, -1)) ? `${result.slice(0, -1)}i` : result;
}

function step4(word: string): string {
	let longest = "";
	for (const suffix of STEP4) if (suffix.length > longest.length && word.endsWith(suffix)) longest = suffix;
	if (longest === "") return word;
	const stem = word.slice(0, -longest.length);
	if (longest === "ion" && !stem.endsWith("s") && !stem.endsWith("t")) return word;
	return measure(stem) > 1 ? stem : word;
}

function step5(word: string): string {
	let result = word;
	if (result.endsWith("e")) {
		const stem = result.slice(0, -1);
		const size = measure(stem);
		if (size > 1 || (size === 1 && !endsCvc(stem))) result = stem;
	}
	return result.endsWith("ll") && measure(result) > 1 ? result.slice(0, -1) : result;
}

export function porterStem(word: string): string {
	if (word.length < 3 || word.length > 64) return word;
	for (let at = 0; at < word.length; at += 1) {
		const code = word.charCodeAt(at);
		if (code < 97 || code > 122) return word;
	}
	return step5(step4(replaceFirstMatch(replaceFirstMatch(step1(word), STEP2), STEP3)));
}
