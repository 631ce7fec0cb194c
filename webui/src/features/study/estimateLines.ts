/** The estimates of a study as lines of a table. Pure functions. */
import type { Estimate } from "../../shared/api/schema";

/** A line: an estimate, or several events without one for the same reason. */
export interface EstimateLine {
  row: Estimate;
  events: number[];
}

/** The lines: each value has its own; events of which a value is missing for the same reason share one. */
export function estimateLines(rows: Estimate[]): EstimateLine[] {
  const missing = new Map<string, EstimateLine>();
  const lines: EstimateLine[] = [];
  for (const row of rows) {
    const events = row.event_number === null ? [] : [row.event_number];
    const key = `${row.quantity} ${row.reason}`;
    const known = missing.get(key);
    if (known && events.length) {
      known.events.push(...events);
      continue;
    }
    const line = { row, events };
    if (row.reason !== null && events.length) missing.set(key, line);
    lines.push(line);
  }
  return lines;
}
