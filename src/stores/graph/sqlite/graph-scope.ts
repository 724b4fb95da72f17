import { wellFormed } from "../../../domain/well-formed.js";
import { snapshotParameters, visible } from "../../sqlite/visibility.js";
import type { GraphScope } from "../graph.port.js";

/** That a state belongs to what a question is about: visible in the snapshot and of one of the sources. Bind `scopeParameters`. */
export function inScope(alias: string, scope: GraphScope): string {
	const seen = visible(alias, scope.snapshot);
	if (scope.sources === undefined) return seen;
	return `${seen} AND (
		SELECT c.name FROM origin o JOIN source c ON c.id = o.source WHERE o.id = ${alias}.origin
	) IN (SELECT value FROM json_each(:sources))`;
}

export function scopeParameters(scope: GraphScope): Record<string, number | string> {
	const parameters = snapshotParameters(scope.snapshot);
	if (scope.sources === undefined) return parameters;
	return { ...parameters, sources: JSON.stringify(scope.sources.map(wellFormed)) };
}
