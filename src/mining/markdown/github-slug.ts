/**
 * Anchors as GitHub gives them to headings: lower case, punctuation dropped, spaces to dashes, repeats numbered `-1`, `-2`.
 * The rule of the github-slugger package, without its 20 KB table: the same classes as Unicode properties.
 */
export class GithubSlugger {
	readonly #seen = new Map<string, number>();

	slug(heading: string): string {
		const base = heading
			.trim()
			.toLowerCase()
			.replace(/[^\p{Alphabetic}\p{M}\p{Nd}\p{Nl}\p{Pc}\- ]/gu, "")
			.replaceAll(" ", "-");
		let slug = base;
		let repeat = this.#seen.get(base) ?? 0;
		while (this.#seen.has(slug)) {
			repeat += 1;
			slug = `${base}-${repeat}`;
		}
		this.#seen.set(base, repeat);
		this.#seen.set(slug, this.#seen.get(slug) ?? 0);
		return slug;
	}
}
