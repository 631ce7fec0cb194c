/** Values that a statement gives, as the page shows them. */
import type { SqlStatement } from "../../shared/api/schema";

export type SqlFile = Exclude<NonNullable<SqlStatement["format"]>, "json">;

const NUMBER = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\))$/;

/** Whether DuckDB's type is one of numbers. */
export const isNumber = (type: string): boolean => NUMBER.test(type);

/** A value as text; what is nested as JSON. */
export const sqlText = (value: unknown): string =>
  value !== null && typeof value === "object" ? JSON.stringify(value) : String(value);
