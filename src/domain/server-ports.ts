/**
 * Ports for servers that somebody starts at once. Systems give outgoing connections the ports from 32768 (Linux) or 49152 (RFC 6335) up: one of
 * those may be taken between being found free and being listened on, and again while a server is down that comes back to its port.
 */
const FIRST = 10_000;
const LAST = 32_767;

/** Different candidates, in random order: processes that choose at the same time seldom choose the same. */
export function serverPorts(count = 100): number[] {
	const ports = new Set<number>();
	while (ports.size < count) ports.add(FIRST + Math.floor(Math.random() * (LAST - FIRST + 1)));
	return [...ports];
}
