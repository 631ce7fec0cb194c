import type { SearchSieve } from "../../shared/api/schema";

/** What a page of found studies can be sieved and sorted by. */
export const SIEVE = ["modality", "reason", "became", "text"] as const;
export type Sieve = Record<(typeof SIEVE)[number], string | null>;
/** Without what is not sieved by. What an address says is no word of the server may be: that refuses it. */
export const asSieve = (sieve: Sieve): SearchSieve =>
  Object.fromEntries(Object.entries(sieve).filter(([, value]) => value));
export const BECAME = ["open", "off", "moved", "failed", "missing"] as const;
export const FOUND_SORTS = [
  "line",
  "-study_date",
  "study_date",
  "study_description",
  "-objects",
] as const;
