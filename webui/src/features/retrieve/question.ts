/** What a node is asked for, but for days and times. */
import { STUDY_KINDS } from "../../shared/facts";
import type { What as GivenWhat } from "../../shared/api/schema";

export type { GivenWhat };

/** Kinds of studies by the modalities that make them one; SR: studies that hold structured reports alone. */
export { STUDY_KINDS as GROUPS };
export const ONLY_REPORTS = "SR";

export const WORDS = [
  "descriptions_keep",
  "descriptions_leave_out",
  "stations_keep",
  "stations_leave_out",
] as const;
export const FLAGS = {
  leave_out_known: true,
  station_of_study: false,
  unseen_reports: false,
  toshiba: false,
  by_day: false,
};

export type What = Required<GivenWhat>;
export type StudyKind = What["groups"][number];
