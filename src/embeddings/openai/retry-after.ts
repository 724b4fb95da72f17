/** A `Retry-After` header in milliseconds: seconds, or an HTTP date (RFC 9110, 10.2.3). Undefined where it says neither. */
export function retryAfterMs(header: string | null, now: number): number | undefined {
	if (header === null) return undefined;
	const text = header.trim();
	if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) return Math.round(Number(text) * 1000);
	if (!/^[A-Za-z]{3}/.test(text)) return undefined;
	const date = Date.parse(text);
	return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
