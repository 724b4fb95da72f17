import type { z } from "zod";

/** What a schema of a report's has to have: a field that the report has and its schema lacks does not compile. */
export type FieldsOf<T> = { [K in keyof Required<T>]: z.ZodType };
