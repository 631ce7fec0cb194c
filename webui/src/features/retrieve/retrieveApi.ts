/** Routes of query-retrieve: remote nodes, searches on them, fetching what they found. */
import { STUDY_KINDS } from "../../shared/facts";
import { addressOf, get, post, put, remove } from "../../shared/api/api";
import type { Task } from "../../shared/api/types";

/** A node as it is entered; what is not given stays as it is. */
export interface NodeEntry {
  aet?: string;
  host?: string;
  port?: number;
  title: string;
  /** What we call ourselves to it, and to whom it is to send: Orthanc's own AE title where empty. */
  calling_aet: string;
  destination: string;
  modality_too: boolean;
  /** How long an answer may take. */
  seconds: number;
}

export interface RemoteNode extends Required<NodeEntry> {
  /** In Orthanc. */
  name: string;
  /** Here; else it is one of Orthanc's configuration, and its address stays. */
  added: boolean;
}

export interface NodeList {
  nodes: RemoteNode[];
  own_aet: string | null;
  own_port: number | null;
}

export interface Echo {
  name: string;
  answers: boolean;
  reason: string | null;
  elapsed_ms: number;
}

/** Whether a node would send to us, as far as can be asked; reason: what it said. */
export interface WouldSend {
  name: string;
  destination: string | null;
  verdict: "accepted" | "unknown" | "unclear" | "failed";
  reason: string | null;
}

/** Kinds of studies by the modalities that make them one; SR: studies that hold structured reports alone. */
export { STUDY_KINDS as GROUPS };
export const ONLY_REPORTS = "SR";
export type StudyKind = keyof typeof STUDY_KINDS | typeof ONLY_REPORTS;

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

/** What is asked for, but for days and times. */
export type What = { groups: StudyKind[] } & Record<(typeof WORDS)[number], string[]> &
  typeof FLAGS;

export interface Question extends What {
  first: string;
  last: string | null;
  time_from: string | null;
  time_to: string | null;
  /** Date and time; what is before is left out of the answers. */
  since?: string | null;
}

/** Why the store has nothing of a study that the node has. */
export const GAPS = [
  "never_asked",
  "not_fetched",
  "failed",
  "not_arrived",
  "not_imported",
  "ticked_off",
  "rule",
] as const;
export type WhyGap = (typeof GAPS)[number];

/** A study that the node has and the store has not. */
export interface Gap {
  study_instance_uid: string;
  /** As DICOM writes it. */
  study_date: string | null;
  study_description: string | null;
  modalities: string[] | null;
  why: WhyGap;
  /** Of a rule, its reason; of what was not imported, the outcome of its objects. */
  reason: string | null;
  fault: string | null;
  /** The earlier search that has to do with it. */
  search: number | null;
}

export interface GapPage {
  total: number;
  /** Of all, whatever is asked for. */
  why: Partial<Record<WhyGap, number>>;
  gaps: Gap[];
}

/** Counts are of what was found; objects: null where the node does not say of all. */
export interface SearchResult {
  studies: number;
  kept_studies: number;
  kept_series: number;
  objects: number | null;
  by_kind: Record<string, number>;
  left_studies: Record<string, number>;
  left_series: Record<string, number>;
  finds: Record<string, number>;
  /** Why there may be more, with what the node told. */
  doubts: Record<string, string>;
  ignores_modality: boolean;
  /** How many studies the node has and the store has not, by why. */
  gaps: Partial<Record<WhyGap, number>>;
  /** Why a range of days was asked for day by day. */
  split: "limit" | "refused" | null;
}

export interface RetrievalResult {
  series: number;
  failed: number;
  asked_for: number;
  arrived: number;
  imported: number;
  missing: number;
  /** Series of which nobody knows the objects, so that the numbers before leave them out. */
  not_listed: number;
}

/** A series that was found, and what becomes of it. */
export interface FoundSeries {
  line: number;
  series_instance_uid: string;
  modality: string | null;
  series_description: string | null;
  station_name: string | null;
  /** How many objects it has, and how many of them are fetched; null where the node does not say. */
  size: number | null;
  objects: number | null;
  /** Objects are fetched one by one. */
  singly: boolean;
  /** It can be ticked: it carries dose and has not come, or not all of it. */
  open: boolean;
  kept: boolean;
  reason: string | null;
  chosen: boolean;
  state: "moving" | "moved" | "failed" | null;
  fault: string | null;
  asked_for: number | null;
  arrived: number | null;
  imported: number | null;
}

export interface FoundStudy {
  study_instance_uid: string;
  /** As DICOM writes it. */
  study_date: string | null;
  study_description: string | null;
  modalities: string[] | null;
  looked_at_as: string[] | null;
  study_reason: string | null;
  told: string | null;
  series: FoundSeries[];
}

/** A page of studies; the counts are of all that the sieve leaves: studies, series, those that can be ticked, those that are. */
export interface FoundPage {
  total: number;
  series: number;
  open: number;
  chosen: number;
  /** What there is to sieve by, with how many lines. */
  modalities: Record<string, number>;
  reasons: Record<string, number>;
  studies: FoundStudy[];
}

export const SIEVE = ["modality", "reason", "became", "text"] as const;
export type Sieve = Record<(typeof SIEVE)[number], string | null>;
export const BECAME = ["open", "off", "moved", "failed", "missing"] as const;
export const FOUND_SORTS = [
  "line",
  "-study_date",
  "study_date",
  "study_description",
  "-objects",
] as const;

/** Of all that was found: what is chosen and has not come, how much carries dose and has come, what was said of failures. */
export interface Chosen {
  series: number;
  studies: number;
  objects: number;
  /** Series of which the node does not say how many objects they have. */
  untold: number;
  kept: number;
  moved: number;
  faults: Record<string, number>;
}

export interface SearchWithRetrievals {
  search: Task;
  retrievals: Task[];
  chosen: Chosen;
}

const MOST = 500;
const node = (name: string) => `nodes/${encodeURIComponent(name)}`;

export const retrieveApi = {
  nodes: (signal?: AbortSignal) => get<NodeList>("nodes", signal),
  putNode: (name: string, entry: NodeEntry) => put<RemoteNode>(node(name), entry),
  removeNode: (name: string) => remove<{ deleted: string }>(node(name)),
  echo: (name: string) => post<Echo>(`${node(name)}/echo`),
  wouldSend: (name: string) => post<WouldSend>(`${node(name)}/destination`),
  search: (name: string, question: Question) => post<Task>(`${node(name)}/searches`, question),
  one: (id: number, signal?: AbortSignal) => get<SearchWithRetrievals>(`searches/${id}`, signal),
  choose: (id: number, lines: number[], chosen: boolean) =>
    put<{ changed: number }>(`searches/${id}/chosen`, { lines, chosen }),
  chooseAll: (id: number, sieve: Sieve, chosen: boolean) =>
    put<{ changed: number }>(`searches/${id}/chosen`, {
      sieve: Object.fromEntries(Object.entries(sieve).filter(([, value]) => value)),
      chosen,
    }),
  studies: (id: number, where: Record<string, string | number | null>, signal?: AbortSignal) =>
    get<FoundPage>(`searches/${id}/studies`, signal, where),
  /** The address of a file. */
  decisions: (id: number, language: string) => addressOf(`searches/${id}/decisions`, { language }),
  retrieve: (id: number) => post<Task>(`searches/${id}/retrieve`),
  gaps: (
    id: number,
    query: { why: WhyGap | null; limit: number; offset: number },
    signal?: AbortSignal,
  ) => get<GapPage>(`searches/${id}/gaps`, signal, query),
};

/** All that the node has and the store has not. */
export async function allGaps(id: number): Promise<Gap[]> {
  const gaps: Gap[] = [];
  for (;;) {
    const page = await retrieveApi.gaps(id, { why: null, limit: MOST, offset: gaps.length });
    gaps.push(...page.gaps);
    if (gaps.length >= page.total || !page.gaps.length) return gaps;
  }
}
