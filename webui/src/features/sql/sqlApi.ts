/** Routes of SQL: the views, and what one SELECT over them gives. */
import { get, post, remove } from "../../shared/api/api";
import type { FieldInfo, Task } from "../../shared/api/types";

export interface SqlView {
  name: string;
  title: string;
  description: string;
  columns: (FieldInfo & { sql_type: string })[];
}

export interface SqlViews {
  views: SqlView[];
  limits: { seconds: number; rows: number; file_rows: number };
  data: SqlData;
}

/** The copy of the dose data that statements read. */
export interface SqlData {
  /** The moment that it is of, UTC; null where there is none. */
  as_of: string | null;
  /** Nothing has changed since. */
  is_current: boolean;
  bytes: number;
  /** How far a new one is, where one is being made. */
  making: { done: number; total: number } | null;
}

export type SqlValue = string | number | boolean | null | SqlValue[] | { [name: string]: SqlValue };

export interface SqlResult {
  columns: { name: string; type: string }[];
  rows: SqlValue[][];
  /** There are more rows than the limit. */
  cut: boolean;
  elapsed_ms: number;
  /** The moment that the data are of, UTC. */
  as_of: string;
}

export type SqlFile = "csv" | "parquet";

export const sqlApi = {
  views: (signal?: AbortSignal) => get<SqlViews>("sql/views", signal),
  run: (sql: string) => post<SqlResult>("sql", { sql }),
  /** Starts an export. */
  file: (sql: string, format: SqlFile) => post<Task>("sql", { sql, format }),
  stop: () => remove<{ stopped: number }>("sql"),
  data: () => get<SqlData>("sql/data"),
  renew: () => post<SqlData>("sql/data"),
};

const NUMBER = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\))$/;

/** Whether DuckDB's type is one of numbers. */
export const isNumber = (type: string): boolean => NUMBER.test(type);

/** A value as text; what is nested as JSON. */
export const sqlText = (value: SqlValue): string =>
  value !== null && typeof value === "object" ? JSON.stringify(value) : String(value);
