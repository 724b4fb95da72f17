import { GraphQLJSONObject, GraphQLSafeInt } from "graphql-scalars";

/** Counts and sizes may be larger than GraphQL's Int. */
export const SafeInt = GraphQLSafeInt;
export const JsonObjectScalar = GraphQLJSONObject;
