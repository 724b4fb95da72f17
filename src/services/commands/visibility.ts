import { LodeError } from "../../domain/errors.js";

/** What a write leaves for readers that want to see it. */
export type Visibility =
	| { readonly by: "snapshot"; readonly number: number }
	/** The position of the event that tells it. */
	| { readonly by: "event"; readonly position: number }
	| { readonly by: "command"; readonly id: string };

export function visibilityToken(visibility: Visibility): string {
	switch (visibility.by) {
		case "snapshot":
			return `snapshot:${visibility.number}`;
		case "event":
			return `event:${visibility.position}`;
		case "command":
			return `command:${visibility.id}`;
	}
}

/** @throws USAGE */
export function parseVisibility(token: string): Visibility {
	const [, by, value = ""] = /^(snapshot|event|command):([a-z0-9-]{1,60})$/.exec(token) ?? [];
	const number = /^\d{1,15}$/.test(value) ? Number(value) : undefined;
	if (by === "snapshot" && number !== undefined) return { by, number };
	if (by === "event" && number !== undefined) return { by, position: number };
	if (by === "command") return { by, id: value };
	throw new LodeError("USAGE", "minVisibility: is no visibility token", {
		next: "Pass on the visibility_token of a write as it came.",
	});
}
