/** What the API answers. Numbers of dose records are in the units of the data dictionary; unknown is null. */

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
}

export interface DataDictionary {
  tables: TableInfo[];
  modalities: ModalityInfo[];
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
}

export interface ObjectRow extends Row {
  orthanc_id: string | null;
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
}

/** How far the reading of all kept content is, and what changed by it. */
export interface Reextraction {
  state: "idle" | "running" | "stopped" | "done";
  started_at: string | null;
  finished_at: string | null;
  total: number;
  done: number;
  changed: number;
  failed: number;
  outdated: number;
  /** "table.field", or "table: row added", with how often it changed; most often first. */
  fields: Record<string, number>;
  /** Numbers of studies that changed; of very many, the first. */
  studies: number[];
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
}

export interface ContentObject {
  sop_instance_uid: string;
  sop_class_uid: string | null;
  sop_class_name: string | null;
  transfer_syntax: string | null;
  notes: string[];
  header: { tag: string; keyword: string | null; value: unknown }[];
  tree: ContentNode | null;
}

export interface Status {
  version: string;
  schema_version: number;
  started_at: string | null;
  orthanc: { version: string; name: string | null; dicom_aet: string | null; dicom_port: number | null };
  store: {
    size_bytes: number | null;
    studies: Record<string, number>;
    events: number;
    objects: Record<string, number>;
  };
  queue: {
    state: "idle" | "working" | "waiting";
    pending: number;
    cursor: number | null;
    last_change: number | null;
    last_error: { message: string; at: string | null } | null;
    last_commit_at: string | null;
    audit: { state: string; last_finished_at: string | null; missing: number | null } | null;
  };
}

export interface SystemSummary {
  equipment_id: number;
  display_name: string | null;
  manufacturer: string | null;
  manufacturer_model_name: string | null;
  studies: number;
  last_study: string | null;
  last_7_days: number;
  last_30_days: number;
}

export interface ModalitySummary {
  modality: string;
  title: string;
  studies: number;
  events: number;
  last_study: string | null;
  last_7_days: number;
  last_30_days: number;
  today: number;
  systems: SystemSummary[];
}

export interface Summary {
  now: string;
  today: { objects: number; studies: number };
  modalities: ModalitySummary[];
}
