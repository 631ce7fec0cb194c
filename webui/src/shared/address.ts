/** What the address bar says, after the path. */
import type { LocationQuery } from "vue-router";

/** A whole number from the address bar, within bounds; `fallback` for anything else. */
export function queryNumber(
  query: LocationQuery,
  name: string,
  fallback: number,
  least = 1,
): number {
  const text = query[name];
  const number = typeof text === "string" && /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  return number >= least ? number : fallback;
}

export function queryText(query: LocationQuery, name: string): string | null {
  const text = query[name];
  return typeof text === "string" && text !== "" ? text : null;
}

/** Where somebody wanted to go who had to sign in first: a page of ours, and nothing else. */
export function wantedIn(query: LocationQuery): string | null {
  const wanted = queryText(query, "to");
  return wanted && /^\/(?![/\\])/.test(wanted) ? wanted : null;
}
