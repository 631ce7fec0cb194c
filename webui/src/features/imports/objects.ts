/** What objects can be, by the words of the server that pages do something with. */
import type { ObjectsOfRule } from "../../shared/api/schema";

/** Kept physics studies: nothing of them is deleted. */
export const PHYSICS = "physics";
/** What nothing but failed or ignored objects can be: read again, or deleted. */
const NOT_IN: ReadonlySet<string> = new Set<ObjectsOfRule["outcome"]>(["failed", "ignored"]);
export const isNotIn = (outcome: string): outcome is ObjectsOfRule["outcome"] =>
  NOT_IN.has(outcome);
export const DELETED = "deleted";
/** Never in Orthanc. */
export const REFUSED = "refused";
/** The rule of objects that Orthanc may die of. */
export const NESTED = "nested";
