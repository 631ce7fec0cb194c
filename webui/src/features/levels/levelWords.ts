/** What reference levels are called: their quantities, classes and what is compared. */
import type { ComparedLevel, Level, LevelQuantity, ReferenceLevel } from "../../shared/api/schema";
import { fieldTitle } from "../../shared/dose/fields";
import { plainNumber } from "../../shared/dose/filters";
import { formatNumber } from "../../shared/format";
import { t, te } from "../../shared/language/i18n";

/** What is sent of a level: all that can be entered. */
export function entryOf(level: Level): ReferenceLevel {
  const { id: _id, unit: _unit, matched: _matched, shipped_as, ...entry } = level;
  return { ...entry, shipped_as: shipped_as as ReferenceLevel["shipped_as"] };
}

/** "DLP total", "DLP (each event)". */
export function quantityTitle(quantity: LevelQuantity): string {
  const [table = "", field = ""] = quantity.field.split(".");
  const title =
    fieldTitle(table, field) ||
    (te(`filters.names.${quantity.name}`) ? t(`filters.names.${quantity.name}`) : quantity.label);
  return quantity.level === "event" ? t("levels.ofEvents", { title }) : title;
}

/** A number that somebody entered, in the user's format, with all its digits. */
export function entered(number: number): string {
  return formatNumber(number, plainNumber(String(number)).split(".")[1]?.length ?? 0);
}

type Bound = number | null;

function between(low: Bound, high: Bound, unit: "years" | "kg"): string | null {
  const [from, to] = [low, high].map((bound) => bound !== null && entered(bound));
  if (from && to) return t(`levels.class.${unit}.both`, { from, to });
  return from
    ? t(`levels.class.${unit}.from`, { from })
    : to
      ? t(`levels.class.${unit}.to`, { to })
      : null;
}

/** Whom a level is for: "18 years and older, head phantom (16 cm)"; empty for everybody. */
export function classWords(level: Level | ComparedLevel): string {
  return [
    between(level.age_from, level.age_to, "years"),
    between(level.weight_from, level.weight_to, "kg"),
    level.phantom && t(`levels.phantoms.${level.phantom}`),
  ]
    .filter(Boolean)
    .join(", ");
}

/** "median", as in "median at most 790". */
export const statisticTitle = (statistic: string): string => t(`levels.statistics.${statistic}`);
