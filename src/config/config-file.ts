import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { LodeError } from "../domain/errors.js";
import { getPath, invalid, type LoadedConfig, problemsOf, readConfigFile, setPath } from "./config.js";
import { findSetting, SETTINGS, type Setting } from "./settings.js";

/** @throws USAGE for a name that is no setting */
export function requireSetting(nameOrKey: string): Setting {
	const setting = findSetting(nameOrKey);
	if (setting === undefined) {
		throw new LodeError("USAGE", `${JSON.stringify(nameOrKey.slice(0, 80))} is not a setting`, {
			next: `Settings are: ${SETTINGS.map(({ name }) => name).join(", ")}.`,
		});
	}
	return setting;
}

/** Atomic: a reader sees the old or the new file. */
export function writeConfigFile(file: string, content: Record<string, unknown>): void {
	const temporary = `${file}.${process.pid}.tmp`;
	try {
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(temporary, `${JSON.stringify(content, null, "\t")}\n`);
		renameSync(temporary, file);
	} catch (error) {
		rmSync(temporary, { force: true });
		throw new LodeError(
			"PERMISSION_DENIED",
			`writing ${file} failed: ${(error as NodeJS.ErrnoException).code ?? "unknown error"}`,
			{ next: "Make the folder writable, or set LODE_HOME to one that is.", cause: error },
		);
	}
}

/** Writes one setting to lode.config.json; an empty value takes it out. @throws USAGE, CONFIG_INVALID, PERMISSION_DENIED */
export function setSetting(
	place: Pick<LoadedConfig, "file" | "fileInHome">,
	nameOrKey: string,
	value: string,
): Setting {
	const setting = requireSetting(nameOrKey);
	if (setting.secret || setting.environmentOnly) {
		const why = setting.secret ? "is a secret and is never written to a file" : "can only be set in the environment";
		throw new LodeError("CONFIG_INVALID", `${setting.name} ${why}`, {
			next: `Set it in the environment: ${setting.name}=…`,
		});
	}
	const content = readConfigFile(place.file) ?? {};
	const before = getPath(content, setting.key);
	const after = value.trim() === "" ? undefined : typed(setting, value.trim());
	setPath(content, setting.key, after);
	// Only what is being set: another setting's problem must not keep the user from mending this one.
	const problems = after === undefined ? [] : problemsOf(content, setting);
	if (setting.key === "home" && place.fileInHome) {
		problems.push(`${setting.name}: cannot be set in a file that lies in that folder`);
	}
	if (problems.length > 0) throw invalid(problems);
	if (before !== after) writeConfigFile(place.file, content);
	return setting;
}

/** Numbers are written as numbers, so that the file reads well. */
function typed(setting: Setting, value: string): string | number {
	const numeric = /^(chunks|limits|worker|metrics|retention|gc)\./.test(setting.key);
	return numeric && /^\d{1,15}$/.test(value) ? Number(value) : value;
}
