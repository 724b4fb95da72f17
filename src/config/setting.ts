/** One thing that can be set: by flag, by environment variable (`name`), or in lode.config.json (`key`). */
export interface Setting {
	readonly name: string;
	/** Dotted path in `Config` and in lode.config.json. */
	readonly key: string;
	readonly describe: string;
	/** Only from the environment: never from the file, never shown. */
	readonly secret?: true;
	/** Not from the file: it decides which programs run, and a file may come with a repository. */
	readonly environmentOnly?: true;
}
