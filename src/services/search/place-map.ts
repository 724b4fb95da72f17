import type { FilePlace } from "../../stores/vectors/vectors.port.js";

/** Something of each file. A key of source and path, made for each of some hundred hits, takes longer than all that is then done with it. */
export class PlaceMap<T> {
	readonly #sources = new Map<string, Map<string, T>>();
	readonly #all: T[] = [];

	/** In the order of coming. */
	get all(): readonly T[] {
		return this.#all;
	}

	get({ source, path }: FilePlace): T | undefined {
		return this.#sources.get(source)?.get(path);
	}

	/** What is there, or what `make` makes. */
	of(place: FilePlace, make: () => T): T {
		const known = this.get(place);
		if (known !== undefined) return known;
		const made = make();
		this.#all.push(made);
		const ofSource = this.#sources.get(place.source);
		if (ofSource) ofSource.set(place.path, made);
		else this.#sources.set(place.source, new Map([[place.path, made]]));
		return made;
	}
}
