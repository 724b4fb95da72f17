/**
 * Ends the process with a clear message on a Node that Lode does not run on. To be called before anything else is imported: with
 * `await import`, because static imports run first and would fail on an old Node with no clear message.
 */
export function requireNode24(): void {
	const [major = 0] = process.versions.node.split(".").map(Number);
	if (major >= 24) return;
	process.stderr.write(
		`error USAGE: Lode needs Node 24 or later, this is ${process.versions.node}\n` +
			"next: Run it as `npm run -s lode -- …`: after `npm ci` (without --ignore-scripts) that uses the Node 24 in node_modules. " +
			"Or install Node 24 (https://nodejs.org).\n",
	);
	process.exit(2);
}
