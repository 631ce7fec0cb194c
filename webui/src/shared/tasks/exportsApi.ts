/** Routes of exports: files of the studies that filters leave. Their tasks are asked for, stopped and forgotten as all are. */
import { addressOf, get, getBlob, post } from "../api/api";
import type { Conditions } from "../dose/filters";
import type { Task } from "../api/types";

export interface ExportFormat {
  name: string;
  title: string;
  /** The modality types that it is for; null: for each, and for all together. */
  modalities: string[] | null;
  /** Of one modality type: a ZIP of studies and events. */
  packed: boolean;
  /** Whether it can say who the patients are. */
  identity: boolean;
}

/** What a file can say of who the patients are. */
export const IDENTITY = ["name", "id"] as const;
export type Identity = (typeof IDENTITY)[number];

export interface ExportRequest {
  format: string;
  /** null: all types together. */
  modality: string | null;
  query: Conditions;
  identity: Identity[];
}

export const exportsApi = {
  /** kept_days: how many days a finished one is kept. */
  formats: (signal?: AbortSignal) =>
    get<{ formats: ExportFormat[]; kept_days: number }>("exports/formats", signal),
  start: (wanted: ExportRequest) => post<Task>("exports", wanted),
  /** The address of a task's file. */
  file: (id: number) => addressOf(`exports/${id}/file`, {}),
  piece: (id: number, offset: number, signal?: AbortSignal) =>
    getBlob(`exports/${id}/file`, signal, { offset }),
  /** Where copies of the whole record go; the name of the newest. */
  copy: (signal?: AbortSignal) =>
    get<{ folder: string; newest: string | null }>("exports/copy", signal),
  startCopy: (identity: boolean) => post<{ task_id: number }>("exports/copy", { identity }),
};
