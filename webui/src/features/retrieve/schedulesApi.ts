/** Routes of saved searches that run by themselves. */
import { get, post, put, remove } from "../../shared/api/api";
import type { RetrievalResult, SearchResult, What } from "./retrieveApi";
import type { Task, TaskState } from "../../shared/api/types";

/** A schedule as it is entered. */
export interface ScheduleEntry {
  node: string;
  question: What;
  /** Five fields, in the time zone (IANA). */
  cron: string;
  time_zone: string;
  /** How far back from each run studies are asked for. */
  look_back: number;
  unit: "days" | "hours";
  /** What is found is fetched. */
  fetch: boolean;
  on: boolean;
}

/** One run: its search, and the newest retrieval of what that found. */
export interface Run {
  due: string;
  /** null where none could begin: the message says why. */
  search: number | null;
  /** The task of the search is, and with it what it found. */
  is_forgotten: boolean;
  state: TaskState;
  message: string | null;
  started_at: string | null;
  finished_at: string | null;
  result: Partial<SearchResult>;
  retrieval: {
    id: number;
    state: TaskState;
    message: string | null;
    result: Partial<RetrievalResult>;
  } | null;
}

export interface Schedule extends ScheduleEntry {
  name: string;
  /** Who saved it last: it runs in their name. */
  user: string;
  last_due: string | null;
  last_task: number | null;
  next_run: string | null;
  /** The newest first, not all. */
  runs: Run[];
  /** The user may not query-retrieve any more: it does not run. */
  missing_right: boolean;
}

const schedule = (name: string) => `schedules/${encodeURIComponent(name)}`;

export const schedulesApi = {
  all: (signal?: AbortSignal) => get<{ schedules: Schedule[] }>("schedules", signal),
  put: (name: string, entry: ScheduleEntry) => put<Schedule>(schedule(name), entry),
  remove: (name: string) => remove<{ deleted: string }>(schedule(name)),
  run: (name: string) => post<Task>(`${schedule(name)}/run`),
};
