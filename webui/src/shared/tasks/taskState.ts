import type { Got } from "../api/calls";
import type { Task } from "../api/schema";

export type TaskState = Task["state"];
export type TaskPage = Got<"/tasks">;
