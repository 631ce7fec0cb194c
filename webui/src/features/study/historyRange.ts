/** The span of time of a patient's history, as days in the address. */
export interface Preset {
  key: string;
  years: number | null;
}

export const PRESETS: Preset[] = [
  { key: "1", years: 1 },
  { key: "5", years: 5 },
  { key: "all", years: null },
];

const two = (number: number) => String(number).padStart(2, "0");
const dayOf = (date: Date) =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

/** The day so many years before; of a 29 February the 28th. */
export function yearsBefore(today: Date, years: number): string {
  const date = new Date(today.getFullYear() - years, today.getMonth(), today.getDate());
  if (date.getMonth() !== today.getMonth()) date.setDate(0);
  return dayOf(date);
}

/** A day of the address, or nothing where none stands there. */
export function dayIn(text: unknown): string {
  if (typeof text !== "string" || !/^\d{4}-\d\d-\d\d$/.test(text)) return "";
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) ? text : "";
}
