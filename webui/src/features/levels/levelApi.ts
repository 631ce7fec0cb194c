/** Routes of reference levels: what doses are compared with. Values are in the units of pages. */
import { get, post, put, remove } from "../../shared/api/api";

/** A level as it is entered. Bounds of ages (years) and weights (kg): from inclusive, to exclusive. */
export interface LevelEntry {
  name: string;
  /** Of names as systems write them; with neither pattern nor standard name it is compared with nothing. */
  pattern: string | null;
  standard_name: string | null;
  modality: string;
  quantity: string;
  value: number;
  statistic: string;
  age_from: number | null;
  age_to: number | null;
  weight_from: number | null;
  weight_to: number | null;
  phantom: string | null;
  source: string;
  year: number | null;
  url: string | null;
  note: string | null;
  valid: boolean;
  /** The key of one that came with the program; it stays. */
  shipped_as: string | null;
}

export interface Level extends LevelEntry {
  id: number;
  unit: string;
  matched: boolean;
}

/** What a level can be of: values of studies or of single events. */
export interface LevelQuantity {
  name: string;
  field: string;
  label: string;
  unit: string;
  level: "study" | "event";
  modalities: string[];
  /** Whether its values can be told apart by phantom. */
  phantom: boolean;
}

export interface LevelList {
  levels: Level[];
  quantities: LevelQuantity[];
  statistics: Record<string, string>;
  phantoms: Record<string, string>;
  /** Those that came with the program; missing: how many of them are not in the list. */
  shipped: {
    version: string;
    sources: { title: string; url: string; licence: string | null }[];
    missing: number;
  };
}

/** A level beside the numbers of a chart: `own` is the installation's value in the level's class, `n` of so many values. */
export interface ComparedLevel
  extends
    Pick<Level, "id" | "name" | "value" | "statistic" | "source" | "year" | "phantom">,
    Pick<Level, "age_from" | "age_to" | "weight_from" | "weight_to"> {
  n: number;
  own: number | null;
  side: "over" | "under" | null;
}

export const levelApi = {
  list: (signal?: AbortSignal) => get<LevelList>("reference-levels", signal),
  add: (level: LevelEntry) => post<{ level: Level }>("reference-levels", level),
  change: (id: number, level: LevelEntry) => put<{ level: Level }>(`reference-levels/${id}`, level),
  remove: (id: number) => remove<{ deleted: boolean }>(`reference-levels/${id}`),
  load: () => post<LevelList & { added: number }>("reference-levels/load"),
};

/** What is sent of a level: all that can be entered. */
export function entryOf(level: Level): LevelEntry {
  const { id: _id, unit: _unit, matched: _matched, ...entry } = level;
  return entry;
}
