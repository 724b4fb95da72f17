import type { SenderName } from "../receipt.js";
import { generic } from "./generic.js";
import { gitea, github, gitlab } from "./git-hosts.js";
import { lakefs } from "./lakefs.js";
import type { Sender } from "./sender.js";

export const SENDERS_BY_NAME: Readonly<Record<SenderName, Sender>> = { lakefs, github, gitlab, gitea, generic };
