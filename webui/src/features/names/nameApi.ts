/** Routes of standard names: what an installation calls protocols and procedures. */
import { addressOf, get, post, put, type Query } from "../../shared/api/api";

/** A pattern and what the texts that it fits are called; of several that fit, the first counts. */
export interface NameEntry {
  kind: string;
  pattern: string;
  /** null: in studies of all modality types. */
  modality: string | null;
  standard_name: string;
}

export interface NameMap {
  /** Fields of the study whose texts can have standard names. */
  kinds: string[];
  entries: NameEntry[];
}

export interface Unmapped {
  total: number;
  texts: { text: string; modality: string; studies: number }[];
}

type Changed = Partial<NameMap> & { queued?: boolean };

export const nameApi = {
  map: (signal?: AbortSignal) => get<NameMap>("standard-names", signal),
  replace: (entries: NameEntry[]) => put<Changed>("standard-names", { entries }),
  importCsv: (csv: string, replace: boolean) =>
    post<Changed>("standard-names/import", { csv, replace }),
  exportCsv: addressOf("standard-names/export", {}),
  unmapped: (query: Query, signal?: AbortSignal) =>
    get<Unmapped>("standard-names/unmapped", signal, query),
};

/** A pattern that fits this text alone: its own wildcards in brackets, where they mean themselves. */
export const exactly = (text: string) => text.replace(/[[*?]/g, "[$&]");
