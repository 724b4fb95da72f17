/** One metric. Labels have few values each, all of them named in this code: never a source, a path, a commit or a word of a user. */
export interface Definition {
	readonly name: string;
	readonly type: "counter" | "gauge" | "histogram";
	readonly help: string;
	readonly labels: readonly string[];
	/** Upper bounds, in the metric's unit. */
	readonly buckets?: readonly number[];
}

const FAST = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10];
const ANSWERS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const WORK = [0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1_800];

const counter = (name: string, help: string, labels: readonly string[] = []) =>
	({ name, type: "counter", help, labels }) satisfies Definition;
const gauge = (name: string, help: string, labels: readonly string[] = []) =>
	({ name, type: "gauge", help, labels }) satisfies Definition;
const histogram = (name: string, help: string, labels: readonly string[], buckets: readonly number[]) =>
	({ name, type: "histogram", help, labels, buckets }) satisfies Definition;

/** All that Lode measures itself; docs/observability.md explains each (test/observability compares them). */
export const METRICS = {
	// Stores, wherever they are used.
	storeSeconds: histogram("lode_store_operation_seconds", "Calls of stores.", ["store", "operation"], FAST),
	storeErrors: counter("lode_store_errors_total", "Calls of stores that failed.", ["store", "operation", "code"]),
	storeBytes: counter("lode_store_transferred_bytes_total", "Bytes that stores took and gave.", ["store", "direction"]),
	storeStaged: counter("lode_store_staged_records_total", "Records that were sent to stores.", ["store"]),
	postgresConnections: gauge("lode_postgres_connections", "Connections of this process to Postgres.", ["state"]),
	postgresBytes: gauge("lode_postgres_bytes", "What the installation takes in Postgres."),
	embeddingSeconds: histogram("lode_embedding_seconds", "Calls of embedding providers.", ["provider"], ANSWERS),
	embeddingTexts: counter("lode_embedding_texts_total", "Texts that were sent to providers.", ["provider"]),
	embeddingErrors: counter("lode_embedding_errors_total", "Calls of providers that failed.", ["provider", "code"]),

	// HTTP, of the API and the gateway.
	httpSeconds: histogram("lode_http_request_seconds", "Requests.", ["method", "route", "status"], ANSWERS),
	httpConnections: gauge("lode_http_connections", "Open connections, WebSockets included."),
	webSockets: gauge("lode_websocket_connections", "Open WebSockets (GraphQL subscriptions)."),

	// Searches.
	searchSeconds: histogram("lode_search_seconds", "Searches, from the query to the answer.", ["outcome"], ANSWERS),
	searchVectorSeconds: histogram("lode_search_vector_seconds", "Of a search: the vector query.", [], ANSWERS),
	searchHits: counter("lode_search_hits_total", "Hits of searches."),
	searchesLost: counter("lode_search_events_lost_total", "Searches that are not in the events."),

	// Ingestion, in workers.
	stageSeconds: histogram(
		"lode_ingestion_stage_seconds",
		"Steps of ingestions.",
		["stage", "activity", "outcome"],
		WORK,
	),
	queueSeconds: histogram("lode_activity_queue_seconds", "From scheduled to begun, of activities.", ["stage"], WORK),
	ingestions: counter("lode_ingestions_total", "Ingestions by how they ended.", ["outcome"]),
	ingestionSeconds: histogram("lode_ingestion_seconds", "From begin to publish.", [], WORK),
	ingestedFiles: counter("lode_ingested_files_total", "Files of published ingestions.", ["change"]),
	ingestedChunks: counter("lode_ingested_chunks_total", "Chunks of published ingestions.", ["embedding"]),

	// The gateway.
	deliveries: counter("lode_webhook_deliveries_total", "Webhooks by how they were answered.", ["sender", "outcome"]),
	dispatched: counter("lode_webhook_dispatches_total", "Receipts by what came of their dispatch.", ["outcome"]),
	eventSeconds: histogram(
		"lode_event_processing_seconds",
		"From the receipt of a webhook to its source being told, or to its being parked.",
		["outcome"],
		WORK,
	),
	ledgerReceipts: gauge("lode_ledger_receipts", "Receipts in the ledger.", ["state"]),
	ledgerOldest: gauge("lode_ledger_oldest_waiting_seconds", "Age of the oldest receipt that waits; 0 where none does."),
	ledgerBytes: gauge("lode_ledger_bytes", "What the ledger takes on the disk."),
	ledgerMaxBytes: gauge("lode_ledger_max_bytes", "What it may take."),
	ledgerDamaged: gauge("lode_ledger_damaged_records", "Records that could not be read at the start."),
	dispatchFailing: gauge("lode_dispatch_failing", "1 while receipts cannot be dispatched."),

	// The installation, as the API sees it.
	sources: gauge("lode_sources", "Sources."),
	snapshot: gauge("lode_snapshot_number", "Number of the latest snapshot."),
	openIngestions: gauge("lode_open_ingestions", "Ingestions that began and did not end."),
	parkedIngestions: gauge("lode_parked_ingestions", "Ingestions that failed and wait for a retry."),
	storeRecords: gauge("lode_store_records", "Records that are visible in the latest snapshot.", ["store"]),
	storeSize: gauge("lode_store_bytes", "What an embedded store takes on the disk.", ["store"]),
	indexMemory: gauge("lode_index_memory_bytes", "Memory in which the API keeps an index of an embedded vector store."),
	archiveLag: gauge("lode_archive_lag_events", "Events that are not in the archive yet."),
	changes: counter("lode_changes_total", "Changes of sources, groups and settings.", ["subject"]),
	collectErrors: counter("lode_metrics_errors_total", "Gauges that could not be read when they were asked for."),
} as const;

export type MetricKey = keyof typeof METRICS;
