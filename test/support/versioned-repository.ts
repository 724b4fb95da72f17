import { createRepository } from "./git-repository.js";

export interface VersionedRepository {
	readonly path: string;
	/** Commit i holds files f0.txt … that all say `marker version_i`, each with text of its own. */
	readonly commits: readonly string[];
	remove(): Promise<void>;
}

/** A repository whose every commit changes every file: whoever sees two commits at once sees two versions. */
export async function versionedRepository(options: { files: number; versions: number }): Promise<VersionedRepository> {
	const repository = await createRepository();
	const commits: string[] = [];
	for (let version = 0; version < options.versions; version++) {
		const files = Object.fromEntries(
			Array.from({ length: options.files }, (_, file) => [
				`f${file}.txt`,
				`marker version_${version} of file ${file}\n`,
			]),
		);
		commits.push(await repository.commit({ files, message: `version ${version}` }));
	}
	return { path: repository.path, commits, remove: () => repository.remove() };
}
