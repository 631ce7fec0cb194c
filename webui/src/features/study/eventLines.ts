/** Which lines of an events table stand on which page: events, under the heads of their groups, some groups folded. */
import type { Row } from "../../shared/dose/row";
import type { EventGroup } from "./events";

export type EventLine =
  | { kind: "head"; group: EventGroup; continued: boolean }
  | { kind: "event"; row: Row; group: EventGroup | null };

/** How many events stand on pages: those of folded groups do not. */
export function unfolded(groups: EventGroup[] | null, rows: Row[], folded: Set<string>): Row[] {
  return groups ? groups.flatMap((group) => (folded.has(group.key) ? [] : group.rows)) : rows;
}

/**
 * The lines of the page with the events from `first` to before `end`. The head of a group stands with its first event,
 * and once more where a page begins within it; that of a folded group where its events would be.
 */
export function linesOf(
  groups: EventGroup[] | null,
  rows: Row[],
  folded: Set<string>,
  first: number,
  end: number,
): EventLine[] {
  if (!groups) return rows.slice(first, end).map((row) => ({ kind: "event", row, group: null }));
  const lines: EventLine[] = [];
  const all = unfolded(groups, rows, folded).length;
  let at = 0;
  for (const group of groups) {
    const count = folded.has(group.key) ? 0 : group.rows.length;
    const some = group.rows.slice(Math.max(first - at, 0), Math.max(Math.min(end - at, count), 0));
    const here = count ? some.length > 0 : (at >= first && at < end) || (at === end && at === all);
    if (here) {
      lines.push({ kind: "head", group, continued: count > 0 && first > at });
      for (const row of some) lines.push({ kind: "event", row, group });
    }
    at += count;
  }
  return lines;
}
