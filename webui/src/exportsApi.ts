/** Routes of exports: files of the studies that filters leave. Their tasks are asked for, stopped and forgotten as all are. */
import { addressOf, get, post } from "./api";
import type { Conditions } from "./filters";
import type { Task } from "./types";

export interface ExportFormat {
  name: string;
  title: string;
  /** The modality types that it is for; null: for each, and for all together. */
  modalities: string[] | null;
  /** Of one modality type: a ZIP of studies and events. */
  packed: boolean;
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

let formats: Promise<ExportFormat[]> | null = null;

export const exportsApi = {
  /** Asked for once, and again only after they could not be had. */
  formats: (): Promise<ExportFormat[]> =>
    (formats ??= get<{ formats: ExportFormat[] }>("exports/formats").then(
      (answer) => answer.formats,
      (reason: unknown) => {
        formats = null;
        throw reason;
      },
    )),
  start: (wanted: ExportRequest) => post<Task>("exports", wanted),
  /** The address of a task's file. */
  file: (id: number) => addressOf(`exports/${id}/file`, {}),
};
