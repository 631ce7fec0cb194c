/** The cells of the list of studies: what stands in a row under each column. */
import type { MarksEntry } from "../../shared/api/schema";
import type { ListedStudy } from "../../shared/dose/row";
import { isNumeric, marksAt, sourceTitle } from "../../shared/dose/fields";
import {
  decimalsFor,
  describeStudy,
  formatDate,
  formatTime,
  formatValue,
  hintOf,
  NOTHING,
  scaled,
} from "../../shared/format";
import { t } from "../../shared/language/i18n";
import type { ListColumn } from "./listColumns";

export interface StudyCell {
  column: ListColumn;
  text: string;
  /** Behind the text, less loud: the time after the date. */
  after: string;
  hint: string | undefined;
  marks: MarksEntry[];
  nothing: boolean;
}

export const nameOfStudy = (study: ListedStudy): string =>
  describeStudy(study) ?? t("list.noDescription");

/** Numbers below each other have the same decimals. */
export function decimalsOf(columns: ListColumn[], studies: ListedStudy[]): Map<string, number> {
  const out = new Map<string, number>();
  for (const { key, field } of columns) {
    if (!field || !isNumeric(field)) continue;
    const values = studies.map((study) => study[key]).filter((value) => typeof value === "number");
    out.set(key, decimalsFor(values.map((value) => scaled(value, field))));
  }
  return out;
}

export function cellOf(
  study: ListedStudy,
  column: ListColumn,
  decimals: Map<string, number>,
): StudyCell {
  const { key, field, numeric } = column;
  const value = study[key];
  const marks = marksAt(study, key);
  let text = formatValue(value, field, decimals.get(key));
  let after = "";
  if (key === "study_date") {
    text = formatDate(study.study_date as string | null);
    after = study.study_time ? formatTime(study.study_time as string) : "";
  } else if (field?.type === "date") text = formatDate(value as string | null);
  else if (key === "source" && typeof value === "string") text = sourceTitle(value);
  // A number stands whole; text may be cut off by its column.
  const hint = numeric ? hintOf(value, field) : text === NOTHING ? undefined : text;
  return { column, text, after, hint, marks, nothing: text === NOTHING && !marks.length };
}
