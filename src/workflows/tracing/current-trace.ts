import { AsyncLocalStorage } from "@temporalio/workflow";
import type { Trace } from "../contracts/traces.js";

const storage = new AsyncLocalStorage<Trace | undefined>();

/** The trace that what runs now belongs to: of the signal or update that is being handled, of the workflow else. */
export const currentTrace = (): Trace | undefined => storage.getStore();

/** What `work` starts belongs to `trace`, or to none. */
export const inTrace = <T>(trace: Trace | undefined, work: () => T): T => storage.run(trace, work);
