/** What names a chunk wherever it is asked for: its place, not a row of an engine. It holds over versions and on both profiles. */
export interface HitPlace {
	readonly source: string;
	readonly group: string;
	readonly ordinal: number;
	readonly path: string;
}

export const hitId = ({ source, group, ordinal, path }: HitPlace): string => `${source}:${group}:${ordinal}:${path}`;

export function parseHitId(id: string): HitPlace | undefined {
	const [, source = "", group = "", ordinal = "", path = ""] = /^([^:]+):([^:]+):(\d{1,9}):(.+)$/s.exec(id) ?? [];
	return path === "" ? undefined : { source, group, ordinal: Number(ordinal), path };
}
