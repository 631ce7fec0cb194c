/** The events of compared studies by type and protocol, each with number and dose. */
import type { Study } from "../../shared/api/schema";
import { doseOf, sumsOf, type EventSum } from "./compare";
import { eventWord, fieldTitle, findField, findModality } from "../../shared/dose/fields";
import { formatCount, formatWithUnit } from "../../shared/format";
import { t } from "../../shared/language/i18n";

export interface EventCell {
  count: string;
  /** The dose with its unit, "" where none is given, and what it is called. */
  dose: string;
  title: string;
}

export interface ComparedEvents {
  key: string;
  type: string | null;
  protocol: string | null;
  /** null: the study has no such events. */
  cells: (EventCell | null)[];
  differs: boolean;
}

export function comparedEvents(studies: Study[]): ComparedEvents[] {
  const sums = studies.map((study) => sumsOf(study.events));
  const found = new Map(sums.flatMap((ofStudy) => [...ofStudy]));
  return [...found].map(([key, { type, protocol }]) => {
    const cells = studies.map((study, at) => cellOf(study, sums[at]!.get(key)));
    const differs = new Set(cells.map((cell) => JSON.stringify(cell))).size > 1;
    return { key, type, protocol, cells, differs };
  });
}

function cellOf(study: Study, sum: EventSum | undefined): EventCell | null {
  if (!sum) return null;
  const table = findModality(study.modality)?.events_table ?? "";
  const name = doseOf(study.events);
  const { value, given, rows } = sum.dose;
  const dose =
    !name || !given
      ? ""
      : value !== null
        ? formatWithUnit(value, findField(table, name))
        : t("compare.someGiven", { given, rows });
  return {
    count: `${formatCount(sum.count)} ${eventWord(study.modality, sum.count)}`,
    dose,
    title: name ? fieldTitle(table, name) : "",
  };
}
