import type { Socket } from "node:net";

const KEY_BYTES = 16;
/** Whoever connects says at once what for. Milliseconds. */
const LATE_MS = 10_000;

/** Reads what stands at the beginning of a launcher's socket: a launch's key (hexadecimal) and the number of the stream. Others are closed. */
export function greeted(socket: Socket, take: (key: string, stream: number) => void): void {
	// One that breaks is seen as a stream that ends.
	socket.on("error", () => {});
	const late = setTimeout(() => socket.destroy(), LATE_MS);
	late.unref();
	const read = (): void => {
		const greeting = socket.read(KEY_BYTES + 1) as Buffer | null;
		if (greeting === null) return;
		clearTimeout(late);
		socket.off("readable", read);
		take(greeting.toString("hex", 0, KEY_BYTES), greeting[KEY_BYTES] as number);
	};
	socket.on("readable", read);
	socket.once("close", () => clearTimeout(late));
}
