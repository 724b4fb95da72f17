/**
 * Whether a line of the library's log says that it lost a workflow task (SDK 1.24, `process_post_activation` in its
 * `crates/sdk-core/src/worker/workflow/workflow_stream.rs`): where as many workflows are kept as may be, and both a query and a task wait for the
 * same workflow, which is not kept, the query's activation is made and dropped. That workflow then waits in this worker for ever: every later
 * task of it is put behind the lost one and runs into its time-out. A new worker reads it from Temporal, and it goes on.
 */
export const isLostTask = (message: string): boolean =>
	message.includes("Extra buffered run should not have produced an activation");
