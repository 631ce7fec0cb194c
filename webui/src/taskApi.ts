/** Routes of tasks: long work of the server. */
import { get, post } from "./api";

export interface Task {
  id: number;
  kind: string;
  subject: string | null;
  user_name: string;
  state: "waiting" | "running" | "done" | "stopped" | "failed" | "broken off";
  done: number;
  total: number | null;
  message: string | null;
  result: Record<string, unknown>;
  created_at: string | null;
  started_at: string | null;
  finished_at: string | null;
}

export const isFinished = (task: Task) => task.state !== "waiting" && task.state !== "running";

export const taskApi = {
  task: (id: number, signal?: AbortSignal) => get<Task>(`tasks/${id}`, signal),
  stop: (id: number) => post<Task>(`tasks/${id}/stop`),
};
