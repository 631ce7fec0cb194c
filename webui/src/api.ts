/** The one place that talks to the server. */
import type {
  ContentObject, DataDictionary, Done, Neighbours, ObjectPage, ObjectRow, PatientHistory, Reextraction, Row,
  SavedFilter, Status, StudyDetail, StudyPage, Summary,
} from "./types";

const ROOT = "/dose/api/";

/** An answer that is no success. `status` is the HTTP status, 0 where no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

type Query = Record<string, string | number | null | undefined>;

type Method = "GET" | "POST" | "PUT" | "DELETE";

async function request<T>(method: Method, path: string, query: Query, signal?: AbortSignal, sent: unknown = {}): Promise<T> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") parameters.set(name, String(value));
  }
  const search = parameters.size ? `?${parameters}` : "";
  let response: Response;
  try {
    response = await fetch(ROOT + path + search, {
      method,
      credentials: "same-origin",
      // A page of another site cannot send this header.
      headers: method === "GET" ? { Accept: "application/json" } : { Accept: "application/json", "X-Dose-Request": "1" },
      // Orthanc wants a body with each POST.
      body: method === "POST" || method === "PUT" ? JSON.stringify(sent) : undefined,
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "no_connection", "Orthanc does not answer.");
  }
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw asError(response.status, body);
  if (body === null) throw new ApiError(response.status, "no_json", "The answer of the server is not readable.");
  return body as T;
}

function asError(status: number, body: unknown): ApiError {
  const error = (body as { error?: { code?: string; message?: string; field?: string | null } } | null)?.error;
  if (error?.message) return new ApiError(status, error.code ?? "error", error.message, error.field ?? null);
  if (status === 401) return new ApiError(status, "unauthorized", "Sign in to see this page: load it again.");
  if (status === 403) return new ApiError(status, "forbidden", "You are not allowed to see this.");
  return new ApiError(status, "error", `The server answered with status ${status}.`);
}

export interface StudyQuery extends Query {
  modality?: string;
  limit?: number;
  offset?: number;
  sort?: string;
  columns?: string;
}

export interface ObjectQuery extends Query {
  outcome?: string | null;
  sop_instance_uid?: string | null;
  limit: number;
  offset: number;
  sort: string;
}

/** What Orthanc answers about an object that it was sent. */
interface Stored {
  ID?: string;
  Status?: string;
}

/**
 * Stores an object by Orthanc's own route: the plugin has none, as an object stored from Python would stand in Orthanc's way.
 * Codes of errors: no_connection, not_allowed, too_large, disk_full, not_readable.
 */
function storeObject(content: Blob, progress: (sent: number) => void, signal: AbortSignal): Promise<Stored> {
  return new Promise((resolve, reject) => {
    // Not fetch, which does not tell how much has gone.
    const call = new XMLHttpRequest();
    const abort = () => call.abort();
    call.open("POST", "/instances");
    call.setRequestHeader("X-Dose-Request", "1");
    call.setRequestHeader("Content-Type", "application/dicom");
    call.responseType = "json";
    call.upload.onprogress = (event) => progress(event.loaded);
    call.onload = () => {
      const body = call.response as (Stored & { Message?: string; Details?: string }) | null;
      if (call.status === 200 && body) return resolve(body);
      const code = STORING[call.status] ?? "error";
      reject(new ApiError(call.status, code, body?.Details || body?.Message || `The server answered with status ${call.status}.`));
    };
    call.onerror = () => reject(new ApiError(0, "no_connection", "Orthanc does not answer."));
    call.onabort = () => reject(new ApiError(0, "stopped", "Stopped."));
    call.onloadend = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    call.send(content);
  });
}

const STORING: Record<number, string> = {
  400: "not_readable", 401: "not_allowed", 403: "not_allowed", 413: "too_large", 415: "not_readable", 507: "disk_full",
};

const get = <T>(path: string, signal?: AbortSignal, query: Query = {}) => request<T>("GET", path, query, signal);
const post = <T>(path: string) => request<T>("POST", path, {});
const savedFilter = (name: string) => `saved-filters/${encodeURIComponent(name)}`;

export const api = {
  storeObject,
  status: (signal?: AbortSignal) => get<Status>("status", signal),
  summary: (days: [number, number], signal?: AbortSignal) =>
    get<Summary>("summary", signal, { days: days[0], more_days: days[1] }),
  fields: (signal?: AbortSignal) => get<DataDictionary>("fields", signal),
  studies: (query: StudyQuery, signal?: AbortSignal) => get<StudyPage>("studies", signal, query),
  countStudies: (query: StudyQuery, signal?: AbortSignal) => get<{ total: number }>("studies/count", signal, query),
  savedFilters: (signal?: AbortSignal) => get<{ saved: SavedFilter[] }>("saved-filters", signal),
  saveFilter: ({ name, modality, query }: SavedFilter) =>
    request<{ saved: SavedFilter }>("PUT", savedFilter(name), {}, undefined, { modality, query }),
  deleteFilter: (name: string) => request<{ deleted: boolean }>("DELETE", savedFilter(name), {}),
  study: (id: number, signal?: AbortSignal) => get<StudyDetail>(`studies/${id}`, signal),
  neighbours: (id: number, query: StudyQuery, signal?: AbortSignal) =>
    get<Neighbours>(`studies/${id}/neighbours`, signal, query),
  history: (id: number, query: { from?: string; to?: string }, signal?: AbortSignal) =>
    get<PatientHistory>(`studies/${id}/history`, signal, query),
  content: (id: number, signal?: AbortSignal) => get<{ objects: ContentObject[] }>(`studies/${id}/content`, signal),
  objects: (query: ObjectQuery, signal?: AbortSignal) => get<ObjectPage>("objects", signal, query),
  readAgain: (uid: string) => post<Done<{ object: ObjectRow }>>(`objects/${encodeURIComponent(uid)}/retry`),
  takeOut: (uid: string) => post<Done<{ object: ObjectRow }>>(`objects/${encodeURIComponent(uid)}/take-out`),
  retryAllFailed: () => post<{ queued: number }>("objects/retry"),
  setModality: (system: number, modality: string) =>
    post<Done<{ system: Row }>>(`equipment/${system}/modality/${encodeURIComponent(modality)}`),
  reextraction: (signal?: AbortSignal) => get<Reextraction>("reextract", signal),
  reextract: () => post<Reextraction>("reextract"),
  stopReextraction: () => post<Reextraction>("reextract/stop"),
  audit: () => post<{ missing?: number | null; queued?: boolean }>("audit"),
};
