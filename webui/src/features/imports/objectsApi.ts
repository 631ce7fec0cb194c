/** Routes of objects by what became of them: by rule, deleting, and the rules of deletion. */
import { get, post, remove } from "../../shared/api/api";
import type { ObjectRow } from "../../shared/api/types";

/** Objects of an outcome (failed or ignored), or of one of its rules. */
export interface OfRule {
  outcome: string;
  rule?: string;
}

export interface RuleCount {
  outcome: string;
  rule: string | null;
  objects: number;
  bytes: number;
}

export interface Dropped {
  total: number;
  classes: {
    sop_class_uid: string | null;
    sop_class_name: string | null;
    objects: number;
    first_at: string | null;
    last_at: string | null;
  }[];
}

/** What the settings say of each kind of objects, and how many there are of it that no rule was applied to yet. */
export interface Policy {
  kinds: { kind: string; title: string; setting: string; value: string; objects: number }[];
  /** How many the rules as they are now would delete. */
  objects: number;
  /** How many are to be deleted already. */
  waiting: number;
}

export interface Deleted {
  objects: number;
  deleted: number;
  task_id: number | null;
}

/** in_orthanc: those that it holds; refused: those that it never stored. The task: the last search for them. */
export interface Nested {
  in_orthanc: number;
  refused: number;
  task_id: number | null;
  state: string | null;
  finished_at: string | null;
}

export const objectsApi = {
  rules: (signal?: AbortSignal) => get<{ rules: RuleCount[] }>("objects/rules", signal),
  dropped: (signal?: AbortSignal) => get<Dropped>("objects/dropped", signal),
  retryAll: (which: OfRule) => post<{ queued: number }>("objects/retry", which),
  deleteAll: (which: OfRule) => post<Deleted>("objects/delete", which),
  deleteOne: (uid: string) => remove<Deleted>(`objects/${encodeURIComponent(uid)}`),
  /** What became of what Orthanc stored, by its identifiers: some 500 at most. */
  stored: (orthanc_ids: string[]) =>
    post<{ objects: ObjectRow[] }>("objects/stored", { orthanc_ids }),
  policy: (signal?: AbortSignal) => get<Policy>("objects/delete-from-orthanc", signal),
  nested: (signal?: AbortSignal) => get<Nested>("objects/find-nested", signal),
  findNested: () => post<Nested>("objects/find-nested"),
  applyPolicy: () =>
    post<{ objects: number; task_id: number | null }>("objects/delete-from-orthanc"),
};

/** Kept physics studies: nothing of them is deleted. */
export const PHYSICS = "physics";
/** What nothing but failed or ignored objects can be: read again, or deleted. */
export const NOT_IN: ReadonlySet<string> = new Set(["failed", "ignored"]);
export const DELETED = "deleted";
/** Never in Orthanc. */
export const REFUSED = "refused";
/** The rule of objects that Orthanc may die of. */
export const NESTED = "nested";
