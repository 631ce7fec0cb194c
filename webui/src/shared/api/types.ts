/** What the API answers. Numbers of dose records are in the units of the data dictionary; unknown is null. */
import type { GROUPS, TASK_STATES } from "../facts";

export interface FieldInfo {
  name: string;
  type: string;
  title: string;
  unit: string | null;
  /** The unit that pages show: the stored value times `shown_factor`. */
  shown_unit: string | null;
  shown_factor: number;
  description: string;
  concepts: string[];
  source: string;
  modalities: string[];
  fields: FieldInfo[];
}

export interface TableInfo {
  name: string;
  title: string;
  description: string;
  fields: FieldInfo[];
}

export interface ModalityInfo {
  code: string;
  title: string;
  events_table: string;
  /** null where the modality has no accumulated dose of its own. */
  accumulated_table: string | null;
  totals: string[];
  /** What people look at first of its events, in this order; "xray_sources.kvp" is a field of the structs in one. */
  event_columns: string[];
}

export type FilterType = "text" | "number" | "integer" | "date" | "time" | "choices" | "uid" | "id";
export type FilterRole =
  "contains" | "not" | "is" | "exactly" | "empty" | "from" | "to" | "given" | "any";

/** One filter of the list of studies. */
export interface FilterInfo {
  name: string;
  label: string;
  type: FilterType;
  /** Empty: the filter has no place on the form. */
  group: string;
  /** The table of events of which one must be as all of its filters say; empty for filters of the study. */
  of_one: string;
  /** Empty: all. */
  modalities: string[];
  unit: string | null;
  shown_unit: string | null;
  shown_factor: number;
  /** "table.field" of the data dictionary that it is about, "" where there is none. */
  field: string;
  description: string;
  choices: { value: string; label: string }[];
  /** The API's parameters by what each does. */
  parameters: Partial<Record<FilterRole, string>>;
  identity: boolean;
}

/** Conditions on the list that the user has kept by name. */
export interface SavedFilter {
  name: string;
  modality: string | null;
  query: Record<string, string>;
}

export interface DataDictionary {
  tables: TableInfo[];
  modalities: ModalityInfo[];
  filters: FilterInfo[];
  /** Titles of the groups of filters, in the order of the form. */
  filter_groups: Record<string, string>;
  /** By modality: what a list of studies may be asked for, and what it gives unasked. */
  list_columns: Record<string, string[]>;
  usual_columns: Record<string, string[]>;
  marks: Record<string, string>;
  sources: Record<string, string>;
  outcomes: Record<string, string>;
}

export interface Code {
  value: string | null;
  scheme: string | null;
  meaning: string | null;
}

/** What is particular about one value of a record. */
export interface Mark {
  field: string;
  mark: string;
  raw: string | null;
}

/** A record: fields by name, as the data dictionary declares them. */
export type Row = Record<string, unknown>;

export interface Study extends Row {
  id: number;
  modality: string;
  source?: string | null;
  marks?: Mark[] | null;
}

export interface StudyPage {
  total: number;
  studies: Study[];
}

export interface StudyDetail extends Study {
  equipment: Row | null;
  patient: Row | null;
  accumulated: Row[];
  events: Row[];
  objects: ObjectRow[];
  /** How many studies of its UID Orthanc holds. */
  orthanc_studies?: number | null;
}

/** Where a study stands in a list, and what stands beside it; null where it is not in the list, or nothing is there. */
export interface Neighbours {
  position: number | null;
  total: number;
  previous: number | null;
  next: number | null;
}

/** A sum over studies, with how many of them gave a value. */
export interface Cumulated {
  modality: string;
  studies: number;
  totals: Record<string, { value: number | null; studies: number }>;
}

/** `identified` says how the patient's ID is kept; null where the store keeps none of this study. */
export interface PatientHistory {
  identified: "stored" | "hashed" | null;
  patient_name: string | null;
  patient_id: string | null;
  studies: Study[];
  cumulated: Cumulated[];
}

export interface ObjectRow extends Row {
  /** By what the object is known here; nothing of Orthanc or the patient can be told from it. */
  handle: string | null;
  sop_instance_uid: string | null;
  sop_class_uid?: string | null;
  sop_class_name?: string | null;
  study_instance_uid?: string | null;
  modality?: string | null;
  study_id?: number | null;
  source?: string | null;
  outcome: string;
  rule: string | null;
  reason: string | null;
  attempts?: number | null;
  received_at?: string | null;
  processed_at: string | null;
  size?: number | null;
  /** What the rules of deletion made of it: "to delete", "deleted"; else null. */
  in_orthanc?: string | null;
  deleted_at?: string | null;
}

/** How far the reading of all kept content is, and what changed by it. */
export interface Reextraction {
  state: "idle" | TaskState;
  task_id: number | null;
  started_at: string | null;
  finished_at: string | null;
  total: number;
  done: number;
  changed: number;
  failed: number;
  outdated: number;
  /** "table.field", "table.marks: mark" or "table: row added", with how often it changed; most often first. */
  fields: Record<string, number>;
  /** Numbers of studies that changed; of very many, the first. */
  studies: number[];
}

export type TaskState = (typeof TASK_STATES)[number];

/** Long work on the server. Moments are UTC. */
export interface Task {
  id: number;
  kind: string;
  subject: string | null;
  user_name: string;
  state: TaskState;
  done: number;
  /** null until it is known. */
  total: number | null;
  message: string | null;
  parameters: Record<string, unknown>;
  result: Record<string, unknown>;
  created_at: string | null;
  started_at: string | null;
  finished_at: string | null;
}

export interface TaskPage {
  /** The server's clock. */
  now: string;
  total: number;
  /** How many tasks are in each state, whatever is asked for. */
  states: Partial<Record<TaskState, number>>;
  tasks: Task[];
}

export interface TaskLog {
  total: number;
  outcomes: Record<string, number>;
  lines: { line: number; outcome: string; study_id: number | null; message: string | null }[];
}

export interface LogEntry {
  at: string;
  level: "error" | "warning" | "info" | "debug";
  /** The module that wrote it. */
  logger: string;
  message: string;
}

export interface LogPage {
  /** What is written at least. */
  level: LogEntry["level"];
  /** null: the entries are those that the server remembers. */
  file: string | null;
  entries: LogEntry[];
}

/** What an action on one thing answers: the thing after it, or that it waits for its turn. */
export type Done<T> = Partial<T> & { queued?: boolean };

export interface ObjectPage {
  total: number;
  objects: ObjectRow[];
}

/** A content item; what it lacks is left out. */
export interface ContentNode {
  value_type?: string | null;
  relationship?: string | null;
  concept?: unknown;
  meaning?: string | null;
  value?: unknown;
  unit?: string | null;
  /** Why a number is missing, or what is particular about it. */
  qualifier?: unknown;
  children?: ContentNode[] | null;
  /** Items below it that the answer had no room for. */
  left_out?: number;
}

export interface ContentObject {
  sop_instance_uid: string;
  sop_class_uid: string | null;
  sop_class_name: string | null;
  transfer_syntax: string | null;
  notes: string[];
  header: { tag: string; keyword: string | null; value: unknown }[];
  tree: ContentNode | null;
  /** Elements of the header that the answer had no room for. */
  left_out?: number;
}

export interface Status {
  version: string;
  schema_version: number;
  started_at: string | null;
  orthanc: {
    version: string;
    name: string | null;
    dicom_aet: string | null;
    dicom_port: number | null;
  };
  store: {
    size_bytes: number | null;
    studies: Record<string, number>;
    events: number;
    objects: Record<string, number>;
    in_orthanc: { to_delete: number; deleted: number; dropped: number };
  };
  queue: {
    state: "idle" | "working" | "waiting";
    pending: number;
    cursor: number | null;
    last_change: number | null;
    last_error: { message: string; cause: string; reason: string; at: string | null } | null;
    last_commit_at: string | null;
    reconciliation: {
      state: string;
      last_finished_at: string | null;
      missing: number | null;
    } | null;
  };
  followers: Follower[];
}

/** What reacts to changed studies; last_error: why it waits; failing: changes that it tries again. */
export interface Follower {
  name: string;
  state: "idle" | "working" | "waiting";
  behind: number;
  studies_behind: number;
  behind_since: string | null;
  failing: number;
  skipped: number;
  last_error: string | null;
  error_since: string | null;
  backfill: { done: number; total: number | null } | null;
}

/** A change of a study that a follower could not process; next_try_at: null if it is skipped. */
export interface FollowerFailure {
  study_id: number;
  what: "made" | "changed" | "removed";
  attempts: number;
  reason: string;
  failed_at: string;
  next_try_at: string | null;
}

/** Studies a day, from a day on. */
export interface Workload {
  from: string;
  days: number;
  counts: number[];
}

interface Counted {
  studies: number;
  events: number;
  last_study: string | null;
  today: number;
  /** Studies of the last days, for both numbers of days that were asked for. */
  recent: [number, number];
  workload: Workload;
}

export interface SystemSummary extends Counted {
  equipment_id: number;
  display_name: string | null;
  manufacturer: string | null;
  manufacturer_model_name: string | null;
}

export interface ModalitySummary extends Counted {
  modality: string;
  title: string;
  systems: SystemSummary[];
}

export interface Summary {
  now: string;
  today: { objects: number; studies: number };
  days: [number, number];
  modalities: ModalitySummary[];
}

/** What a user may do; see records/access.py. */
export type Group = (typeof GROUPS)[number];

/** Who asks. `way`: how the server knows; null for nobody. */
export interface Session {
  signed_in: boolean;
  name: string | null;
  groups: Group[];
  way: "cookie" | "Basic" | "token" | "proxy" | null;
  may_change_password: boolean;
  /** Whether Orthanc's own pages are open to the user. */
  may_use_orthanc: boolean;
  session_hours: number;
}

/** Where all requests of a day came from, where it looks like a proxy that nobody listed. */
export interface UnnamedProxy {
  address: string;
  forwarded: boolean;
  users: number;
}

export interface User {
  name: string;
  groups: Group[];
  /** In Orthanc's configuration, where alone it can be changed. */
  configured: boolean;
  may_use_orthanc: boolean;
  disabled: boolean;
  created_by: string | null;
  created_at: string | null;
  /** null where the audit log has none. */
  last_sign_in: string | null;
}

export interface Token {
  id: string;
  name: string;
  user_name: string;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
}

export interface AuditEntry {
  number: number;
  at: string;
  user_name: string;
  address: string;
  way: string;
  action: string;
  subject: string;
  details: string;
  succeeded: boolean;
}

export interface AuditPage {
  total: number;
  entries: AuditEntry[];
  /** Those that there are to choose from. */
  users: string[];
  actions: string[];
}

/** A setting of the installation. `default` holds where nobody changed it. */
export interface Setting {
  name: string;
  topic: string;
  title: string;
  /** choice, flag, number, text, patterns, time zone. */
  kind: string;
  description: string;
  choices: { value: string; label: string }[];
  minimum: number | null;
  maximum: number | null;
  unit: string | null;
  example: string;
  /** Its name in the section "Dose" of orthanc.json. */
  key: string;
  value: unknown;
  default: unknown;
  changed: boolean;
}

export interface SettingList {
  topics: { name: string; title: string }[];
  settings: Setting[];
}

/** How pages write dates and times. */
export interface Region {
  date_format: string;
  first_day_of_week: string;
  /** Empty: the server's own. */
  time_zone: string;
  server_time_zone: string;
}
