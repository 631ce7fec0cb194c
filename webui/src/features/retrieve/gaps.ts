/** Studies that a node has and the store has not. */
import { get } from "../../shared/api/api";
import type { Gap } from "../../shared/api/schema";

/** Why the store has nothing of a study that the node has. */
export type WhyGap = Gap["why"];
export const GAPS: readonly WhyGap[] = [
  "never_asked",
  "not_fetched",
  "failed",
  "not_arrived",
  "not_imported",
  "ticked_off",
  "rule",
];

const MOST = 500;

/** All that the node has and the store has not. */
export async function allGaps(id: number): Promise<Gap[]> {
  const gaps: Gap[] = [];
  for (;;) {
    const page = await get("/searches/{id}/gaps", {
      path: { id },
      query: { limit: MOST, offset: gaps.length },
    });
    gaps.push(...page.gaps);
    if (gaps.length >= page.total || !page.gaps.length) return gaps;
  }
}
