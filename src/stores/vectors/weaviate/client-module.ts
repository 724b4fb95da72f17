/** A module that the client (3.14.0) does not export, by its place in it: what we need of it has no other way. */
export const clientModule = async <T>(place: string): Promise<T> =>
	(await import(new URL(place, import.meta.resolve("weaviate-client")).href)) as T;
