/**
 * The built-in embedding `lexical-v1-384`: signed feature hashing (Weinberger et al. 2009) of subwords, identifiers and
 * character trigrams (as in fastText) into 384 dimensions. It knows spelling, not meaning. Everything here is integer
 * arithmetic, or + - * / and square roots of doubles, which IEEE 754 fixes to the bit: the same text gives the same
 * vector on every platform. Any change to it needs a new model id.
 */
export const LEXICAL_DIMENSIONS = 384;

/** What each kind of feature counts, chosen by recall@10 on commit histories (test/bench/retrieval.bench.ts). */
const WEIGHTS = { word: 1, common: 0.1, short: 0.7, identifier: 0.3, pair: 0.1, trigram: 0.15 };

const SEED_WORD = 0x811c9dc5;
const SEED_IDENTIFIER = 0x2f0b4c47;
const SEED_PAIR = 0x5bd1e995;
const SEED_TRIGRAM = 0x1b873593;

const SEPARATOR = 0;
const LOWER = 1;
const UPPER = 2;
const DIGIT = 3;
const JOINER = 4;

/** Class of every ASCII code; all others count as lower-case letters, so that no Unicode version matters. */
const CLASSES = new Uint8Array(128);
for (let code = 48; code <= 57; code += 1) CLASSES[code] = DIGIT;
for (let code = 65; code <= 90; code += 1) CLASSES[code] = UPPER;
for (let code = 97; code <= 122; code += 1) CLASSES[code] = LOWER;
CLASSES[95] = JOINER; // _
CLASSES[36] = JOINER; // $

/** Words that say little about a text in English prose or in source code. */
const COMMON =
	"a an and are as at be been but by can could did do does done each for from had has have how if in into is it its just may " +
	"me might more most must my no nor not of on or our out over own same should so some such than that the their them then " +
	"there these they this those to too up us very was we were what when where which while who why will with would you your " +
	"use used using via instead also only any all both about after before between other one two " +
	"import export const let var return function class def self null none true false undefined string int void new public " +
	"private protected static final async await else elif try catch except finally throw raise type interface extends " +
	"implements package include end begin val fn pub mut impl struct enum case switch break continue default super args " +
	"kwargs str bool float double long char number boolean object array list dict map set get http https www com org";

/** Bounded: a chunk has at most some ten thousand features; longer texts are hashed up to this many characters. */
const MAX_CHARACTERS = 65_536;
const MAX_PART = 64;

const mix = (hash: number): number => {
	let mixed = hash;
	mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
	mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
	return (mixed ^ (mixed >>> 16)) >>> 0;
};

/** Counts features of one text after another without allocating: a slot is empty unless it carries the current stamp. */
class FeatureCounter {
	#size = 1 << 13;
	#keys = new Uint32Array(this.#size);
	#stamps = new Uint32Array(this.#size);
	#counts = new Uint32Array(this.#size);
	#weights = new Float64Array(this.#size);
	#slots = new Uint32Array(this.#size >> 1);
	#used = 0;
	#stamp = 0;

	reset(): void {
		this.#stamp += 1;
		this.#used = 0;
		if (this.#stamp === 0xffffffff) {
			this.#stamps.fill(0);
			this.#stamp = 1;
		}
	}

	add(hash: number, weight: number): void {
		const key = mix(hash);
		let slot = key & (this.#size - 1);
		while (this.#stamps[slot] === this.#stamp) {
			if (this.#keys[slot] === key) {
				this.#counts[slot] = (this.#counts[slot] as number) + 1;
				return;
			}
			slot = (slot + 1) & (this.#size - 1);
		}
		this.#stamps[slot] = this.#stamp;
		this.#keys[slot] = key;
		this.#counts[slot] = 1;
		this.#weights[slot] = weight;
		this.#slots[this.#used] = slot;
		this.#used += 1;
		if (this.#used === this.#slots.length) this.#grow();
	}

	/** Adds up the signed, damped counts in the order in which features first appeared, and normalises. */
	vector(): Float32Array {
		const sums = new Float64Array(LEXICAL_DIMENSIONS);
		for (let index = 0; index < this.#used; index += 1) {
			const slot = this.#slots[index] as number;
			const key = this.#keys[slot] as number;
			const count = this.#counts[slot] as number;
			// Saturates like BM25's term frequency: 1, 1.38, 1.57 … 2.2.
			const value = ((this.#weights[slot] as number) * (count * 2.2)) / (count + 1.2);
			const at = (key >>> 8) % LEXICAL_DIMENSIONS;
			sums[at] = (sums[at] as number) + ((key & 0x80) === 0 ? -value : value);
		}
		let squares = 0;
		for (let at = 0; at < LEXICAL_DIMENSIONS; at += 1) squares += (sums[at] as number) * (sums[at] as number);
		const result = new Float32Array(LEXICAL_DIMENSIONS);
		if (squares === 0) {
			result[0] = 1;
			return result;
		}
		const norm = Math.sqrt(squares);
		for (let at = 0; at < LEXICAL_DIMENSIONS; at += 1) result[at] = (sums[at] as number) / norm;
		return result;
	}

	#grow(): void {
		const { keys, counts, weights } = { keys: this.#keys, counts: this.#counts, weights: this.#weights };
		const old = this.#slots;
		const used = this.#used;
		this.#size *= 2;
		this.#keys = new Uint32Array(this.#size);
		this.#stamps = new Uint32Array(this.#size);
		this.#counts = new Uint32Array(this.#size);
		this.#weights = new Float64Array(this.#size);
		this.#slots = new Uint32Array(this.#size >> 1);
		this.#stamp = 1;
		for (let index = 0; index < used; index += 1) {
			const from = old[index] as number;
			const key = keys[from] as number;
			let slot = key & (this.#size - 1);
			while (this.#stamps[slot] === 1) slot = (slot + 1) & (this.#size - 1);
			this.#stamps[slot] = 1;
			this.#keys[slot] = key;
			this.#counts[slot] = counts[from] as number;
			this.#weights[slot] = weights[from] as number;
			this.#slots[index] = slot;
		}
	}
}

/** The end of a word without its plural or verb ending: connections, connected and connecting become connect(ion). */
function stemEnd(codes: Uint16Array, length: number): number {
	let end = length;
	const last = (back: number): number => (end >= back ? (codes[end - back] as number) : 0);
	if (end > 3 && last(1) === 115 && last(2) !== 115 && last(2) !== 117 && last(2) !== 105) end -= 1;
	if (end > 5 && last(1) === 103 && last(2) === 110 && last(3) === 105) end -= 3;
	else if (end > 4 && last(1) === 100 && last(2) === 101) end -= 2;
	if (end > 4 && last(1) === 101) end -= 1;
	return end;
}

function hashCodes(seed: number, codes: Uint16Array, end: number): number {
	let hash = seed;
	for (let at = 0; at < end; at += 1) hash = Math.imul(hash ^ (codes[at] as number), 0x01000193);
	return hash;
}

/** Not re-entrant; one a thread. */
export class LexicalHasher {
	readonly #counter = new FeatureCounter();
	readonly #part = new Uint16Array(MAX_PART);
	readonly #common = new Set<number>();
	#length = 0;
	#parts = 0;
	#identifier = SEED_IDENTIFIER;
	#previous = 0;

	constructor() {
		for (const word of COMMON.split(" ")) {
			for (let at = 0; at < word.length; at += 1) this.#part[at] = word.charCodeAt(at);
			this.#common.add(hashCodes(SEED_WORD, this.#part, stemEnd(this.#part, word.length)));
		}
	}

	embed(text: string): Float32Array {
		this.#counter.reset();
		this.#previous = 0;
		const end = Math.min(text.length, MAX_CHARACTERS);
		let before = SEPARATOR;
		for (let at = 0; at < end; at += 1) {
			const code = text.charCodeAt(at);
			const kind = code < 128 ? (CLASSES[code] as number) : LOWER;
			if (kind === SEPARATOR || kind === JOINER) {
				if (before !== SEPARATOR && before !== JOINER) this.#endPart();
				if (kind === SEPARATOR && before !== SEPARATOR) this.#endWord();
			} else {
				if (before === LOWER ? kind !== LOWER : before !== SEPARATOR && before !== JOINER) {
					// LOWER before anything else, a digit beside a letter, or the last capital of an acronym starts a part.
					const acronymEnds =
						before === UPPER && kind === UPPER && at + 1 < end && CLASSES[text.charCodeAt(at + 1) & 127] === LOWER;
					if (before === LOWER || (before === DIGIT) !== (kind === DIGIT) || acronymEnds) this.#endPart();
				}
				const lower = kind === UPPER ? code + 32 : code;
				if (this.#length < MAX_PART) this.#part[this.#length] = lower;
				this.#length += 1;
			}
			before = kind;
		}
		if (before !== SEPARATOR && before !== JOINER) this.#endPart();
		this.#endWord();
		return this.#counter.vector();
	}

	#endPart(): void {
		const length = this.#length;
		this.#length = 0;
		// Longer runs are encoded data, not words.
		if (length === 0 || length > MAX_PART) return;
		const codes = this.#part;
		const end = stemEnd(codes, length);
		const hash = hashCodes(SEED_WORD, codes, end);
		const common = this.#common.has(hash);
		const weight = common ? WEIGHTS.common : length < 3 ? WEIGHTS.short : WEIGHTS.word;
		this.#counter.add(hash, weight);
		this.#identifier = Math.imul(this.#identifier ^ hash, 0x01000193);
		this.#parts += 1;
		if (!common) {
			if (this.#previous !== 0) {
				this.#counter.add(Math.imul(this.#previous ^ SEED_PAIR, 0x01000193) ^ hash, WEIGHTS.pair);
			}
			this.#previous = hash;
			if (length > 3) this.#addTrigrams(length);
		}
	}

	/** Of the part between `^` and `$`. */
	#addTrigrams(length: number): void {
		const codes = this.#part;
		let first = 94;
		let second = codes[0] as number;
		for (let at = 1; at <= length; at += 1) {
			const third = at === length ? 36 : (codes[at] as number);
			const hash = Math.imul(
				Math.imul(Math.imul(SEED_TRIGRAM ^ first, 0x01000193) ^ second, 0x01000193) ^ third,
				0x01000193,
			);
			this.#counter.add(hash, WEIGHTS.trigram);
			first = second;
			second = third;
		}
	}

	#endWord(): void {
		if (this.#parts > 1) this.#counter.add(this.#identifier, WEIGHTS.identifier);
		this.#parts = 0;
		this.#identifier = SEED_IDENTIFIER;
	}
}
export { WEIGHTS };
