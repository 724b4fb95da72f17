import { errorCode } from "../../domain/errors.js";
import type { LodeCommands } from "../commands/command.js";
import type { ApiServices, LodeReader } from "../lode.js";
import { createReader, type ReaderPorts } from "../reading/create-reader.js";
import { createViews, type ViewPorts } from "../viewing/create-views.js";
import type { LodeViews } from "../viewing/lode-view.js";
import type { ApiKeys } from "./api-key.js";
import type { Audit } from "./audit.js";
import { type GuardedPorts, guardCommands } from "./guarded-commands.js";
import { guardKeys } from "./guarded-keys.js";
import { operationOf, requireOperation } from "./operations.js";
import { forbidden, grantedSources, mayEverywhere, type Principal } from "./principal.js";
import { scopedCatalog } from "./scoped-catalog.js";
import { scopedEvents } from "./scoped-events.js";
import { scopedArtifacts, scopedGraph, scopedVectors } from "./scoped-stores.js";

export interface ServicePorts
	extends Omit<ReaderPorts, "close">,
		Omit<ViewPorts, "reader" | "artifacts" | "events" | "plugins"> {
	/** Over all of the ports: for whoever may see everything. */
	readonly reader: LodeReader;
	readonly views: LodeViews;
	readonly commands: LodeCommands;
	/** Puts the hooks of plugins around a reader's search. */
	readonly withHooks: (reader: LodeReader) => LodeReader;
	readonly keys: ApiKeys;
	readonly audit: Audit;
	readonly checkTarget: GuardedPorts["checkTarget"];
}

/**
 * The services as one principal gets them. What it may not see is taken out below the use cases, in the ports that they read, so that each of them
 * (also one that is written tomorrow) answers as if there were nothing else.
 */
export function servicesFor(ports: ServicePorts, principal: Principal): ApiServices {
	const { audit, keys, checkTarget } = ports;
	const seen = mayEverywhere(principal, "admin") ? ports : narrowed(ports, principal);
	const { reader, views, catalog, events } = seen;
	return {
		reader,
		views,
		commands: guardCommands({ principal, commands: ports.commands, catalog, events, audit, checkTarget }),
		keys: guardKeys(keys, principal, audit),
		principal,
		async permit(name) {
			try {
				requireOperation(principal, name);
			} catch (error) {
				const { least } = operationOf(name);
				// What only reads leaves no trace; who tries to change what they may not does.
				if (least !== "viewer" && errorCode(error) === "FORBIDDEN") {
					await audit(principal, { operation: name, outcome: "denied", code: "FORBIDDEN" });
				}
				throw error;
			}
		},
		close: async () => {},
	};
}

function narrowed(
	ports: ServicePorts,
	principal: Principal,
): Pick<ServicePorts, "reader" | "views" | "catalog" | "events"> {
	// Where Temporal's own pages are is for those who may see all that they show.
	const hidden = { temporalUi: async () => null };
	if (mayEverywhere(principal, "viewer")) {
		const events = scopedEvents(ports.events, "any");
		return over({ ...ports, ...hidden, events }, (reader) => ({ ...reader, ...onlyAdmins }));
	}
	const visible = new Set(grantedSources(principal));
	const catalog = scopedCatalog(ports.catalog, visible);
	const stores = {
		catalog,
		events: scopedEvents(ports.events, visible),
		graph: scopedGraph(ports.graph, visible),
		vectors: scopedVectors(ports.vectors, visible),
		artifacts: scopedArtifacts(ports.artifacts, visible),
	};
	return over({ ...ports, ...hidden, ...stores }, (reader) => ({ ...reader, ...onlyAdmins }));
}

/** No interface has these for others than the machine's own user. */
const onlyAdmins: Pick<LodeReader, "verify" | "replaySearches"> = {
	verify: async () => {
		throw forbidden("admin", "everywhere");
	},
	replaySearches: async () => {
		throw forbidden("admin", "everywhere");
	},
};

function over(ports: ServicePorts, changed: (reader: LodeReader) => LodeReader) {
	const { catalog, events } = ports;
	const reader = ports.withHooks(changed(createReader({ ...ports, close: async () => {} })));
	return { catalog, events, reader, views: createViews({ ...ports, reader }) };
}
