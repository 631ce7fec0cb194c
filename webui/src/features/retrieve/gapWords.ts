/** Studies that a node has and the store has not, in words and as a file. */
import type { WhyGap } from "./gaps";
import type { Gap } from "../../shared/api/schema";
import { csvFile } from "./csvFile";
import { outcomeTitle, taskSentence } from "../../shared/dose/fields";
import { t, te } from "../../shared/language/i18n";
import { seriesReason, studyReason } from "./retrieveWords";

export const gapWhy = (why: WhyGap) => t(`retrieve.gaps.why.${why}`);

const known = (key: string) => te(key);

function reasonWords(reason: string): string {
  if (known(`retrieve.studyReasons.${reason}`)) return studyReason(reason);
  if (known(`retrieve.reasons.${reason}`)) return seriesReason(reason);
  return outcomeTitle(reason);
}

/** What more is known of why: the rule's reason, the node's words, the outcome. */
export function gapReason({ reason, fault }: Gap): string {
  return [reason && reasonWords(reason), fault && taskSentence(fault)].filter(Boolean).join(": ");
}

const COLUMNS = [
  "study_instance_uid",
  "study_date",
  "study_description",
  "modalities",
  "why",
  "reason",
  "fault",
  "search",
] as const;

/** As CSV: columns as the API names them, and why in words. */
export function gapsFile(gaps: Gap[]): Blob {
  const words = (gap: Gap) => [gapWhy(gap.why), gapReason(gap)].filter(Boolean).join(": ");
  return csvFile(
    [...COLUMNS, "why_in_words"],
    gaps.map((gap) => [...COLUMNS.map((name) => gap[name]), words(gap)]),
  );
}
