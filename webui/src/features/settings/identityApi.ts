/** Routes of who patients are: how studies hold it, the rules for what is there already, patterns of what is no patient. */
import { get, post } from "../../shared/api/api";

/** How a study can hold an item. */
export const WAYS = ["none", "stored", "hashed", "sha256"] as const;
export type Way = (typeof WAYS)[number];

export interface IdentityItem {
  /** A field of the study, and the setting of its rule. */
  name: string;
  rule: Way;
  /** How many studies hold it in which way. */
  studies: Record<Way, number>;
  /** How many differ from the rule and can be brought to it, and how many cannot. */
  can_change: number;
  cannot_change: number;
}

/** What the task says of each item. */
export type AppliedItems = Record<string, { dropped: number; hashed: number }>;

interface Patterns {
  names: string[];
  ids: string[];
}

export interface NotPatient extends Patterns {
  /** How many are possible test data by patterns. */
  studies: number;
  openrem: Patterns;
}

/** The patterns that match; null where none does. */
export interface Tried {
  name: string | null;
  id: string | null;
}

interface Started {
  task_id: number;
}

export const identityApi = {
  items: (signal?: AbortSignal) =>
    get<{ items: IdentityItem[]; old_bytes: boolean }>("identity", signal),
  apply: () => post<Started>("identity/apply"),
  notPatient: (signal?: AbortSignal) => get<NotPatient>("not-patient", signal),
  tryNotPatient: (name: string, id: string) => post<Tried>("not-patient/try", { name, id }),
  applyNotPatient: () => post<Started>("not-patient/apply"),
};
