import { LodeError } from "../../domain/errors.js";
import { parseSince } from "../at.js";
import type { ParkedReceipt, ParkedReceiptsPort } from "./parked-receipts.port.js";

/** The JSON that others rely on. */
export interface ParkedReport {
	/** Those that were parked first come first. */
	readonly parked: readonly ParkedEvent[];
	/** Webhooks that have no outcome yet. */
	readonly waiting: number;
	/** What the ledger takes on the disk. */
	readonly bytes: number;
}

export interface ParkedEvent extends Omit<ParkedReceipt, "branch" | "commit"> {
	/** Null: any. */
	readonly branch: string | null;
	readonly commit: string | null;
}

export interface ReplayReport {
	/** Ids of those that wait again. */
	readonly replayed: readonly string[];
	/** It dispatches them now; else when it is started. */
	readonly gateway: boolean;
}

/** All that are given have to hold. */
export interface ReplaySelection {
	readonly ids: readonly string[];
	/** Parked since then: ISO 8601. */
	readonly since?: string;
	/** A part of one of the repository's addresses, in small or capital letters. */
	readonly repository?: string;
	/** Instead of the others. */
	readonly all?: boolean;
}

export interface LodeEvents {
	/** @throws USAGE for another form of time */
	parked(options: { since?: string }): Promise<ParkedReport>;
	/** @throws USAGE without a selection, RECEIPT_NOT_FOUND before anything is done, TIMEOUT, STORE_UNAVAILABLE, DISK_FULL */
	replay(selection: ReplaySelection): Promise<ReplayReport>;
}

export function createEvents(receipts: ParkedReceiptsPort): LodeEvents {
	return {
		async parked({ since }) {
			const isMeant = sinceThen(since);
			const { parked, waiting, bytes } = await receipts.read();
			return { parked: parked.filter(isMeant).map(eventOf), waiting, bytes };
		},

		async replay(selection) {
			const select = selector(selection);
			const before = select((await receipts.read()).parked);
			if (before.length === 0) return { replayed: [], gateway: (await receipts.gateway()) !== undefined };
			const { by } = await receipts.replay(before.map(({ id }) => id));
			// The gateway may have dispatched them already, and may have parked some again.
			const still = new Map((await receipts.read()).parked.map(({ id, parkedAt }) => [id, parkedAt]));
			const replayed = before.filter(({ id, parkedAt }) => still.get(id) !== parkedAt);
			return { replayed: replayed.map(({ id }) => id), gateway: by === "gateway" };
		},
	};
}

function selector(selection: ReplaySelection): (parked: readonly ParkedReceipt[]) => readonly ParkedReceipt[] {
	const { ids, since, repository, all = false } = selection;
	const some = ids.length > 0 || since !== undefined || repository !== undefined;
	if (some === all) {
		const message = all ? "--all goes with no other selection" : "which receipts are meant is missing";
		throw new LodeError("USAGE", message, { next: "Name receipts, or give --since, --repository or --all." });
	}
	const isSince = sinceThen(since);
	const part = repository?.toLowerCase();
	const isNamed = new Set(ids);
	return (parked) => {
		const known = new Set(parked.map(({ id }) => id));
		const missing = [...isNamed].filter((id) => !known.has(id));
		if (missing.length > 0) {
			const named = missing.slice(0, 5).map((id) => JSON.stringify(id.slice(0, 80)));
			throw new LodeError("RECEIPT_NOT_FOUND", `not parked: ${named.join(", ")}${missing.length > 5 ? " …" : ""}`, {
				next: "See those that are: lode events parked",
			});
		}
		return parked.filter(
			(receipt) =>
				(isNamed.size === 0 || isNamed.has(receipt.id)) &&
				isSince(receipt) &&
				(part === undefined || receipt.repository.some((address) => address.toLowerCase().includes(part))),
		);
	};
}

function sinceThen(since: string | undefined): (receipt: ParkedReceipt) => boolean {
	const from = since === undefined ? undefined : parseSince(since);
	return ({ parkedAt }) => from === undefined || parkedAt >= from;
}

function eventOf(receipt: ParkedReceipt): ParkedEvent {
	const { id, sender, event, repository, branch = null, commit = null, receivedAt, parkedAt, reason } = receipt;
	return { id, sender, event, repository, branch, commit, receivedAt, parkedAt, reason };
}
