import { LodeError } from "../../domain/errors.js";
import { LakefsApi } from "./lakefs-api.js";
import type { LakefsOptions } from "./lakefs-options.js";

/** Whether the server answers as lakeFS does and accepts the key. @throws SOURCE_UNAVAILABLE, PERMISSION_DENIED, REPOSITORY_UNREADABLE */
export async function probeLakefs(options: LakefsOptions): Promise<{ version: string; user: string }> {
	const api = new LakefsApi(options);
	const [version, answer] = [await api.version(), await api.user()];
	if (version === undefined || answer === undefined) {
		throw new LodeError("REPOSITORY_UNREADABLE", `${api.endpoint} does not answer as lakeFS does.`, {
			next: "Check that LODE_LAKEFS_ENDPOINT is the address of a lakeFS server of version 1.0 or later.",
		});
	}
	return { version: version.version || "unknown", user: answer.user.id };
}
