import { type AllowedRemotes, publicAddresses } from "../remote-policy.js";
import { hostOf } from "./git-address.js";

/** Settings of git for one call to an address, which may also refuse it. @throws FORBIDDEN */
export type Pins = (address: string) => Promise<readonly (readonly [string, string])[]>;

export const NO_PINS: Pins = async () => [];

/**
 * Public addresses alone. Over http git is told which ones: a name that answers differently a moment later (DNS rebinding) leads nowhere else, and
 * nor does a redirect. Of ssh and git:// the name is checked, and resolved by ssh and git a second time.
 */
export function pinsTo(allowed: AllowedRemotes): Pins {
	return async (address) => {
		const { host, port, scheme } = hostOf(address);
		const addresses = await publicAddresses(host, allowed);
		if (scheme !== "http" && scheme !== "https") return [];
		const name = host.replace(/^\[|\]$/g, "");
		return [
			["http.followRedirects", "false"],
			[
				"http.curloptResolve",
				`${name}:${port}:${addresses.map((one) => (one.includes(":") ? `[${one}]` : one)).join(",")}`,
			],
		];
	};
}
