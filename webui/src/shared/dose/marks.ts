/** Marks in three kinds, and many of them in few lines. */
import type { MarksEntry } from "../api/schema";

/** formed: worked out from other values. elsewhere: taken, but not from where it should stand. doubtful: the rest. */
export type MarkKind = "doubtful" | "elsewhere" | "formed";

const FORMED = new Set(["computed", "mean", "weighted_mean", "sum", "overlap", "derived"]);
const ELSEWHERE = new Set([
  "carried",
  "from_comment",
  "from_image",
  "from_size_import",
  "minimum_above_maximum",
  "ocr",
  "one_projection",
  "other_date",
  "private_item",
  "rounded",
  "total_and_pulses",
  "unit_of_maker",
]);
const ORDER: MarkKind[] = ["doubtful", "elsewhere", "formed"];

export function kindOf(mark: string): MarkKind {
  if (FORMED.has(mark)) return "formed";
  return ELSEWHERE.has(mark) ? "elsewhere" : "doubtful";
}

/** The kind that the worst of them has. */
export function worstOf(marks: MarksEntry[]): MarkKind {
  return ORDER.find((kind) => marks.some((one) => kindOf(one.mark) === kind)) ?? "formed";
}

/** Marks of the same meaning together, the doubtful ones first. */
export function groupMarks(marks: MarksEntry[]): { mark: string; entries: MarksEntry[] }[] {
  const groups = new Map<string, MarksEntry[]>();
  for (const mark of marks) groups.set(mark.mark, [...(groups.get(mark.mark) ?? []), mark]);
  return [...groups]
    .map(([mark, entries]) => ({ mark, entries }))
    .sort((a, b) => ORDER.indexOf(kindOf(a.mark)) - ORDER.indexOf(kindOf(b.mark)));
}
