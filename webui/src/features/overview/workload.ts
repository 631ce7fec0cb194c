/** The numbers of studies a day, put together into so few bars that they can be told apart. */
import type { Workload } from "../../shared/api/schema";

export interface Bar {
  /** First and last day, ISO 8601. */
  from: string;
  to: string;
  count: number;
}

const MOST = 60;
const DAY = 86_400_000;

export function barsOf(workload: Workload): Bar[] {
  const first = Date.parse(`${workload.from}T00:00:00Z`);
  const day = (number: number) => new Date(first + number * DAY).toISOString().slice(0, 10);
  const each = workload.days > MOST ? Math.max(7, Math.ceil(workload.days / MOST)) : 1;
  const bars: Bar[] = [];
  // From the end, so that the last bar is of whole length and ends today.
  for (let end = workload.days; end > 0; end -= each) {
    const start = Math.max(0, end - each);
    const count = workload.counts.slice(start, end).reduce((a, b) => a + b, 0);
    bars.unshift({ from: day(start), to: day(end - 1), count });
  }
  return bars;
}

/** The day so many days before another, that one included: the first of the last 7 days. */
export function firstOfLast(days: number, today: string): string {
  return new Date(Date.parse(`${today.slice(0, 10)}T00:00:00Z`) - (days - 1) * DAY)
    .toISOString()
    .slice(0, 10);
}
