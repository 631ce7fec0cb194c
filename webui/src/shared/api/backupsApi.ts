/** Routes of backups: those in the folder of the settings, making one, and the message of lost transactions. */
import { get, post } from "./api";

export interface Backup {
  name: string;
  folder: string;
  /** Of the state that it contains. */
  at: string;
  version: string;
  rows: number;
  studies: number;
  bytes: number;
  key: boolean;
}

export interface Backups {
  folder: string;
  /** Why none can be made now. */
  problem: string | null;
  with_key: boolean;
  next_at: string | null;
  backups: Backup[];
}

export const backupsApi = {
  list: (signal?: AbortSignal) => get<Backups>("backups", signal),
  start: () => post<{ task_id: number }>("backups"),
  lossSeen: () => post<{ seen: boolean }>("backups/loss-seen"),
};
