import { errorCode, LodeError } from "../../domain/errors.js";
import type { Role } from "../../domain/roles.js";
import type { Catalog } from "../../stores/catalog/catalog.port.js";
import type { EventStore } from "../../stores/events/events.port.js";
import { awaitVisibility } from "../commands/await-visibility.js";
import type { CommandReport, CommandRequest, LodeCommands, Submitted } from "../commands/command.js";
import { commandId } from "../commands/command-log.js";
import { groupPlace } from "../groups/group-report.js";
import { matchSource } from "../reading/match-source.js";
import { readableSources, requireSource } from "../recipe.js";
import type { Audit } from "./audit.js";
import { commandOperation, type OperationName, operationOf } from "./operations.js";
import { forbidden, mayEverywhere, mayOn, type Principal } from "./principal.js";

export interface GuardedPorts {
	readonly principal: Principal;
	readonly commands: LodeCommands;
	/** As the principal sees them. */
	readonly catalog: Catalog;
	readonly events: EventStore;
	readonly audit: Audit;
	/** Refuses what a source may not be made of when this principal asks for it. @throws FORBIDDEN */
	readonly checkTarget: (principal: Principal, target: string) => Promise<void>;
}

/** What a request is about, told from what the principal may see. */
interface Aim {
	readonly source?: string;
	readonly narrowed?: CommandRequest;
}

/** Commands as one principal may give them. Every one is audited, with how it was answered. */
export function guardCommands(ports: GuardedPorts): LodeCommands {
	const { principal, commands, catalog, events, audit } = ports;
	const by = principal.id;
	const unrestricted = mayEverywhere(principal, "admin");

	async function submit(request: CommandRequest, idempotencyKey?: string): Promise<Submitted> {
		const operation = commandOperation(request.kind);
		if (operation === undefined) throw forbidden("admin", "everywhere");
		let source: string | undefined;
		try {
			if (idempotencyKey !== undefined && !unrestricted && (await isKnown(commandId(idempotencyKey, by)))) {
				return await commands.submit(request, idempotencyKey, { by });
			}
			const aim = await aimed(request, operation);
			source = aim.source;
			const submitted = await commands.submit(request, idempotencyKey, { by, narrowed: aim.narrowed });
			const { id: command, status, source: named } = submitted.report;
			const outcome = status === "SUCCEEDED" ? "done" : "accepted";
			await audit(principal, { operation, outcome, command, source: named ?? undefined });
			return submitted;
		} catch (error) {
			const code = errorCode(error) ?? "INTERNAL";
			await audit(principal, { operation, outcome: code === "FORBIDDEN" ? "denied" : "refused", code, source });
			throw error;
		}
	}

	/** A repeat is answered about the first one, also where what it names is gone by now. */
	async function isKnown(id: string): Promise<boolean> {
		try {
			await visible(id);
			return true;
		} catch (error) {
			if (errorCode(error) === "COMMAND_NOT_FOUND") return false;
			throw error;
		}
	}

	/** @throws FORBIDDEN, SOURCE_NOT_FOUND, INGESTION_NOT_FOUND, USAGE */
	async function aimed(request: CommandRequest, operation: OperationName): Promise<Aim> {
		const least = operationOf(operation).least as Role;
		const everywhere = mayEverywhere(principal, least);
		switch (request.kind) {
			case "create-source":
				if (!everywhere) throw forbidden(least, "everywhere");
				await ports.checkTarget(principal, request.target);
				return {};
			case "ingest":
				if (request.target !== undefined) return target(request.target, request.ref, least);
				if (everywhere || request.source === undefined) return {};
				return named(request.source, least, (source) => ({ ...request, source }));
			case "retry":
			case "cancel": {
				if (everywhere) return {};
				const ingestion = await catalog.ingestion(request.ingestion);
				if (ingestion) return on(ingestion.source, least);
				throw new LodeError("INGESTION_NOT_FOUND", `there is no ingestion ${request.ingestion}`, {
					next: "List them first.",
				});
			}
			case "delete-source":
				return everywhere ? {} : on((await requireSource(catalog, request.source)).id, least);
			case "create-group":
				// One that names no source comes to nothing: the work says so, with whatever else is wrong.
				if (everywhere || typeof request.source !== "string" || request.source === "") return {};
				return named(request.source, least, (source) => ({ ...request, source }));
			case "update-group":
			case "delete-group": {
				if (everywhere) return {};
				const { source, name } = groupPlace(request.group);
				return named(source, least, (id) => ({ ...request, group: `${id}:${name}` }));
			}
			case "verify":
				if (everywhere) return {};
				if (request.source === undefined) throw forbidden(least, "everywhere");
				return named(request.source, least, (source) => ({ ...request, source }));
			case "collect-garbage":
				if (!everywhere) throw forbidden(least, "everywhere");
				return {};
		}
	}

	function on(source: string, least: Role): Aim {
		if (mayOn(principal, least, source)) return { source };
		throw forbidden(least, "here");
	}

	async function named(wanted: string, least: Role, narrow: (source: string) => CommandRequest): Promise<Aim> {
		const { id } = matchSource(await readableSources(catalog), wanted);
		return { ...on(id, least), narrowed: narrow(id) };
	}

	/** A target makes a source where there is none, which is an admin's; else it is another name of the source. Nothing is looked at yet. */
	async function target(wanted: string, ref: string | undefined, least: Role): Promise<Aim> {
		if (unrestricted) {
			await ports.checkTarget(principal, wanted);
			return {};
		}
		const same = (await readableSources(catalog)).filter(({ address }) => address === wanted);
		const [source] = same.length > 1 ? same.filter(({ branch }) => branch === ref) : same;
		if (source === undefined) throw forbidden("admin", "everywhere");
		return {
			...on(source.id, least),
			narrowed: { kind: "ingest", source: source.id, ...(ref !== undefined && { ref }) },
		};
	}

	/** @throws COMMAND_NOT_FOUND also for those that the principal may not see */
	async function visible(id: string): Promise<CommandReport> {
		const report = await commands.status(id);
		const sees =
			unrestricted || report.source === null
				? unrestricted || report.by === by
				: mayOn(principal, "viewer", report.source);
		if (sees) return report;
		throw new LodeError("COMMAND_NOT_FOUND", `there is no command ${id}`, {
			next: "Use the command_id as it was answered.",
		});
	}

	async function wait(id: string, timeoutMs: number): Promise<CommandReport> {
		if (!unrestricted) await visible(id);
		return commands.wait(id, timeoutMs);
	}

	return {
		submit,
		status: visible,
		wait,
		awaitVisible: unrestricted ? commands.awaitVisible : awaitVisibility({ catalog, events, wait }),
		close: async () => {},
	};
}
