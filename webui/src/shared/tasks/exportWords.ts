/** Exports in words: what is in the file, of which studies, and how long it is kept. */
import type { DataDictionary, ExportFormat, NewExport, Task } from "../api/schema";
import { modalityTitle } from "../dose/fields";
import type { Conditions } from "../dose/filters";
import { chipsOf } from "../dose/filterWords";
import { t, wordAt } from "../language/i18n";

/** What a file can say of who the patients are. */
export type Identity = NewExport["identity"][number];
export const IDENTITY: readonly Identity[] = ["name", "id"];

/** The kind of their tasks. */
export const EXPORT = "export";
// In place of what somebody typed to find patients: it is not kept.
const HIDDEN = "…";

/** What a task was asked for. */
export function requestOf({ parameters }: Task): NewExport {
  // What is missing has not been kept; the task's kind says what it was.
  const { format, modality = null, query = {}, identity = [] } = parameters as Partial<NewExport>;
  return { format: format ?? ("" as NewExport["format"]), modality, query, identity };
}

/** The statement of which an export is the result, without what it compares with; null for one of studies. */
export const statementOf = ({ parameters }: Task): string | null =>
  (parameters.sql as string | undefined) ?? null;

/** Whether the same can be asked for again: not where it is no longer known what was typed. */
export const isWhole = ({ query }: NewExport): boolean => !Object.values(query).includes(HIDDEN);

/** A format as the pages call it, else as the server does. */
export function formatTitle(name: string, formats: ExportFormat[] = []): string {
  return (
    wordAt("exports", "formats", name) ?? formats.find((one) => one.name === name)?.title ?? name
  );
}

/** What a format is, and for whom; empty where the pages do not say. */
export const formatAbout = (name: string): string => wordAt("exports", "about", name) ?? "";

/** Those for a modality type; null: for all types together. */
export const formatsFor = (formats: ExportFormat[], modality: string | null): ExportFormat[] =>
  formats.filter(
    ({ modalities }) =>
      modalities === null || (modality !== null && (modalities as string[]).includes(modality)),
  );

export const typesTitle = (modality: string | null): string =>
  modality ? modalityTitle(modality) : t("exports.allTypes");

/** "Computed tomography, CSV, with patient names". */
export function fileWords(
  { modality, format, identity }: NewExport,
  formats?: ExportFormat[],
): string {
  const who = IDENTITY.filter((one) => identity.includes(one)).map((one) =>
    t(`exports.with.${one}`),
  );
  return [typesTitle(modality), formatTitle(format, formats), ...who].join(", ");
}

// The system has no place in the form of filters.
const SYSTEM = "equipment_id";

/** The number of the system that a list was filtered by. */
export const systemOf = ({ query }: NewExport): string | undefined => query[SYSTEM];

/** The filters in words, in the order of their form. systems: names of systems by their numbers, as far as they are known. */
export function queryWords(
  query: Conditions,
  dictionary: DataDictionary,
  systems: Map<string, string>,
): string[] {
  const { [SYSTEM]: system, ...others } = query;
  const words = chipsOf(others, dictionary.filters).map((chip) => chip.text);
  return system ? [t("list.system", { name: systems.get(system) ?? system }), ...words] : words;
}

const DAY_MS = 86_400_000;

/** When a finished task is forgotten, and its file with it; null while it is not finished. */
export function keptUntil({ finished_at }: Task, days: number): string | null {
  return finished_at && new Date(Date.parse(finished_at) + days * DAY_MS).toISOString();
}
