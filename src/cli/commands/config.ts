import type { Command } from "commander";
import type { Cli } from "../cli.js";

export function registerConfig(program: Command, cli: Cli): void {
	const config = program
		.command("config")
		.helpGroup("Set up:")
		.summary("show and change settings")
		.description(
			"Settings come from flags, the environment, the first lode.config.json found here or in the home, and defaults.",
		);
	const get = config
		.command("get")
		.summary("one setting, or all with where they come from")
		.description("Prints a setting's value, or all settings with where they come from. Secrets are never shown.")
		.argument("[key]", "LODE_CHUNK_SIZE or chunks.size")
		.addHelpText(
			"after",
			"\nExamples:\n  $ lode config get\n  $ lode config get LODE_HOME\n\n--json prints {settings: {NAME: {value, from}}}.",
		);
	cli.action(get, async (invocation, key: string | undefined) => {
		const { loadConfig, settingValue } = await import("../../config/config.js");
		const { requireSetting } = await import("../../config/config-file.js");
		const { SETTINGS } = await import("../../config/settings.js");
		const asked = key === undefined ? SETTINGS : [requireSetting(key)];
		const { config: values, origins } = loadConfig(invocation.sources);
		const settings = Object.fromEntries(
			asked.map((setting) => [
				setting.name,
				{ value: settingValue(values, setting) ?? null, from: origins[setting.name] ?? "default" },
			]),
		);
		await invocation.result({ settings }, async () => {
			const text = (value: unknown) => (value === null ? "" : String(value));
			if (key !== undefined) return text(Object.values(settings)[0]?.value);
			const { table } = await import("../format.js");
			const rows = asked.map(({ name, describe }) => {
				const setting = settings[name];
				return [name, text(setting?.value) || "-", setting?.from ?? "", describe];
			});
			return table(["setting", "value", "from", "what"], rows);
		});
	});

	const set = config
		.command("set")
		.summary("write a setting to lode.config.json")
		.description(
			"Writes a setting to lode.config.json; an empty value takes it out. Secrets belong into the environment.",
		)
		.argument("<key>", "LODE_CHUNK_SIZE or chunks.size")
		.argument("<value>")
		.addHelpText(
			"after",
			"\nExamples:\n  $ lode config set LODE_CHUNK_SIZE 1600\n  $ lode config set embedding.provider lexical\n\n--json prints {setting, file}.",
		);
	cli.action(set, async (invocation, key: string, value: string) => {
		const { locateConfig } = await import("../../config/config.js");
		const { setSetting } = await import("../../config/config-file.js");
		const place = locateConfig(invocation.sources);
		const setting = setSetting(place, key, value);
		await invocation.result(
			{ setting: setting.name, file: place.file },
			() => `${setting.name} is set in ${place.file}`,
		);
		if (invocation.io.env[setting.name]) {
			invocation.note(`note: ${setting.name} is also set in the environment, which comes first`);
		}
	});
}
