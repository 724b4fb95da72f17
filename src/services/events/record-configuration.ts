import { canonicalJson, sha256 } from "../../domain/digest.js";
import { errorCode } from "../../domain/errors.js";
import type { EventStore } from "../../stores/events/events.port.js";

const STREAM = "configuration";

/** Appends the settings that a worker started with, where they are not those of the last one. No secret may be among them. */
export async function recordConfiguration(
	events: Pick<EventStore, "append" | "latest">,
	settings: Readonly<Record<string, string>>,
): Promise<void> {
	const hash = sha256(canonicalJson(settings));
	for (;;) {
		const [last] = await events.latest(1, { stream: STREAM });
		const before = (last?.data.settings ?? {}) as Readonly<Record<string, string>>;
		if (last && sha256(canonicalJson(before)) === hash) return;
		const names = new Set([...Object.keys(before), ...Object.keys(settings)]);
		const changed = [...names].filter((name) => before[name] !== settings[name]).sort();
		const version = last?.version ?? 0;
		const metadata = { correlationId: STREAM, idempotencyKey: `${version + 1}:${hash}` };
		try {
			await events.append(STREAM, version, [{ type: "ConfigurationChanged", data: { settings, changed }, metadata }]);
			return;
		} catch (error) {
			// Another worker started at the same time.
			if (errorCode(error) !== "VERSION_CONFLICT") throw error;
		}
	}
}
