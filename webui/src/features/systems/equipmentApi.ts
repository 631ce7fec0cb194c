/** Routes of systems: the equipment that made the studies. */
import { get, post, put, type Query } from "../../shared/api/api";
import type { Row, Task } from "../../shared/api/types";

export interface System extends Row {
  id: number;
  display_name: string | null;
  /** What it is called until somebody names it. */
  default_name: string;
  user_defined_modality: string | null;
  /** The system that has its studies, where it was merged into one. */
  joined_into: number | null;
  studies: number;
  events: number;
  first_study: string | null;
  last_study: string | null;
  modalities: string[];
}

/** Systems that look like one, as they differ in one field alone; `into` is the one to join the others into. */
export interface Proposal {
  field: string;
  into: number;
  ids: number[];
  systems: {
    id: number;
    display_name: string | null;
    value: string | null;
    studies: number;
    first_study: string | null;
    last_study: string | null;
  }[];
}

export interface ReviewedStudy {
  id: number;
  modality: string;
  study_date: string | null;
  study_time: string | null;
  study_description: string | null;
  source: string | null;
  events: number;
  marks: number;
  totals: boolean;
  objects: number;
  report: boolean;
  images: boolean;
}

/** How many rows have which field, by modality type and table; and a page of the studies. */
export interface Review {
  system: System;
  total: number;
  filled: {
    modality: string;
    tables: { table: string; rows: number; fields: { field: string; filled: number }[] }[];
  }[];
  studies: ReviewedStudy[];
}

/** What a change answers; `task_id`: the task that sorts studies anew, where there is one. */
export interface Changed {
  systems?: System[];
  task_id?: number | null;
  queued?: boolean;
}

const of = (id: number) => `equipment/${id}`;

export const equipmentApi = {
  systems: (signal?: AbortSignal) => get<{ systems: System[] }>("equipment", signal),
  proposals: (signal?: AbortSignal) => get<{ joins: Proposal[] }>("equipment/joins", signal),
  system: (id: number, signal?: AbortSignal) => get<System>(of(id), signal),
  review: (id: number, query: Query, signal?: AbortSignal) =>
    get<Review>(`${of(id)}/review`, signal, query),
  rename: (ids: number[], display_name: string) =>
    put<Changed>("equipment/display-name", { ids, display_name }),
  setModality: (ids: number[], modality: string) =>
    put<Changed>("equipment/modality", { ids, modality }),
  join: (ids: number[], into: number) => post<Changed>("equipment/join", { ids, into }),
  separate: (id: number) => post<Changed>(`${of(id)}/separate`),
  sort: (id: number) => post<{ task: Task }>(`${of(id)}/sort`),
  /** `studies`: their number, as somebody typed it, which the server compares with the one it has. */
  deleteStudies: (id: number, studies: number, row: boolean) =>
    post<{ task: Task }>(`${of(id)}/delete`, { studies, row }),
  deleteStudy: (id: number) => post<{ deleted?: number; queued?: boolean }>(`studies/${id}/delete`),
};
