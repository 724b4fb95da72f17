import type { SearchLog } from "../../services/search/search-log.js";
import type { Metrics } from "./metrics.js";

/** What hears of every search, measuring what it hears. */
export function observedSearchLog(log: SearchLog, metrics: Metrics): SearchLog {
	const took = metrics.observe("searchSeconds");
	const vectorTook = metrics.observe("searchVectorSeconds");
	const hits = metrics.count("searchHits");
	return {
		received(query, source) {
			const started = performance.now();
			const logged = log.received(query, source);
			return {
				generated(report, times) {
					took({ outcome: "answered" }, times.processingMs / 1_000);
					vectorTook({}, times.vectorMs / 1_000);
					hits({}, report.hits.length);
					logged.generated(report, times);
				},
				rejected(error) {
					took({ outcome: "rejected" }, (performance.now() - started) / 1_000);
					logged.rejected(error);
				},
			};
		},
		close: () => log.close(),
	};
}
