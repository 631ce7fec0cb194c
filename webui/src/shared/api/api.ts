/** The one place that talks to the server. */
import { passGate, shut, shutGate, signIns } from "./gate";
import type { Challenge, Proof } from "../session/proofOfWork";
import type {
  AuditPage,
  ContentObject,
  DataDictionary,
  Done,
  FollowerFailure,
  Group,
  LogPage,
  Neighbours,
  ObjectPage,
  ObjectRow,
  PatientHistory,
  Reextraction,
  Region,
  Row,
  SavedFilter,
  Session,
  Setting,
  SettingList,
  Status,
  StudyDetail,
  StudyPage,
  Summary,
  Task,
  TaskLog,
  TaskPage,
  Token,
  UnnamedProxy,
  User,
} from "./types";

const ROOT = "/dose/api/";

/** An answer that is no success. `status` is the HTTP status, 0 where no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    /** The proof of work that the server asks for. */
    readonly proof: Challenge | null = null,
    /** Where in a text that was sent it is wrong: line and column from 1. */
    readonly place: { line: number; column: number } | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Formats of the file of one study. */
export type StudyFile = "pdf" | "xlsx" | "json";

export type Query = Record<string, string | number | null | undefined>;

type Method = "GET" | "POST" | "PUT" | "DELETE";

// Of signing in itself: it does not wait for somebody to be signed in.
const SESSION = "session";
const SECOND_STEP = `${SESSION}/second-step`;

const json = async (response: Response): Promise<unknown> => {
  const body: unknown = await response.json().catch(() => null);
  if (body === null)
    throw new ApiError(response.status, "no_json", "The answer of the server is not readable.");
  return body;
};

/** `sent`: a file as it is, anything else as JSON. `read`: of an answer that is a success. */
async function request<T>(
  method: Method,
  path: string,
  query: Query,
  signal?: AbortSignal,
  sent: unknown = {},
  read: (response: Response) => Promise<unknown> = json,
): Promise<T> {
  for (;;) {
    if (!path.startsWith(SESSION)) await passGate(signal);
    const before = signIns();
    try {
      return (await attempt(method, path, query, signal, sent, read)) as T;
    } catch (error) {
      // The session has ended: the same again as soon as there is one.
      if (path === SESSION || !(error instanceof ApiError && error.code === "not_signed_in"))
        throw error;
      if (!shut.value && before === signIns()) shutGate(true);
      await passGate(signal);
    }
  }
}

async function attempt(
  method: Method,
  path: string,
  query: Query,
  signal: AbortSignal | undefined,
  sent: unknown,
  read: (response: Response) => Promise<unknown>,
): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(addressOf(path, query), {
      method,
      credentials: "same-origin",
      // A page of another site cannot send this header.
      headers: {
        Accept: "application/json",
        ...(method === "GET" ? {} : { "X-Dose-Request": "1" }),
      },
      // Orthanc wants a body with each POST.
      body:
        method === "POST" || method === "PUT"
          ? sent instanceof File
            ? sent
            : JSON.stringify(sent)
          : undefined,
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "no_connection", "Orthanc does not answer.");
  }
  if (!response.ok) throw asError(response.status, await response.json().catch(() => null));
  return read(response);
}

export function addressOf(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") parameters.set(name, String(value));
  }
  return ROOT + path + (parameters.size ? `?${parameters}` : "");
}

interface ErrorBody {
  error?: {
    code?: string;
    message?: string;
    field?: string | null;
    challenge?: string;
    bits?: number;
    place?: ApiError["place"];
  };
}

function asError(status: number, body: unknown): ApiError {
  const error = (body as ErrorBody | null)?.error;
  if (error?.message) {
    const { code = "error", message, field = null, challenge, bits = 0, place = null } = error;
    const proof = challenge ? { challenge, bits } : null;
    return new ApiError(status, code, message, field, proof, place);
  }
  if (status === 401)
    return new ApiError(status, "unauthorized", "Sign in to see this page: load it again.");
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
  rule?: string | null;
  reason?: string | null;
  in_orthanc?: string | null;
  sop_instance_uid?: string | null;
  limit: number;
  offset: number;
  sort: string;
}

export interface LogQuery extends Query {
  level: string | null;
  text: string | null;
}

export const get = <T>(path: string, signal?: AbortSignal, query: Query = {}) =>
  request<T>("GET", path, query, signal);
/** A piece of a file. */
export const getBlob = (path: string, signal?: AbortSignal, query: Query = {}) =>
  request<Blob>("GET", path, query, signal, {}, (response) => response.blob());
export const post = <T>(path: string, sent?: unknown, signal?: AbortSignal) =>
  request<T>("POST", path, {}, signal, sent);
export const put = <T>(path: string, sent: unknown) => request<T>("PUT", path, {}, undefined, sent);
export const remove = <T>(path: string) => request<T>("DELETE", path, {});
const user = (name: string) => `users/${encodeURIComponent(name)}`;
const savedFilter = (name: string) => `saved-filters/${encodeURIComponent(name)}`;

export interface AuditQuery extends Query {
  user?: string | null;
  action?: string | null;
  from?: string | null;
  to?: string | null;
  text?: string | null;
}

export const api = {
  session: () => get<{ session: Session }>(SESSION),
  signIn: (name: string, password: string, code: string, proof?: Proof) =>
    request<{ session: Session }>("POST", SESSION, {}, undefined, {
      name,
      password,
      code,
      ...proof,
    }),
  beginSecondStep: (password: string) =>
    request<{ secret: string; picture: string }>("POST", SECOND_STEP, {}, undefined, { password }),
  confirmSecondStep: (code: string) => put<{ recovery_codes: string[] }>(SECOND_STEP, { code }),
  renewRecoveryCodes: (password: string, code: string) =>
    request<{ recovery_codes: string[] }>("POST", `${SECOND_STEP}/recovery-codes`, {}, undefined, {
      password,
      code,
    }),
  endSecondStep: (password: string, code: string) =>
    request<{ ended: boolean }>("POST", `${SECOND_STEP}/end`, {}, undefined, { password, code }),
  signOut: () => remove<{ signed_out: boolean; at_provider: string | null }>(SESSION),
  /** The way to the provider, and from there to a page. */
  atProvider: (to: string) => addressOf(`${SESSION}/provider`, { to }),
  changePassword: (old: string, wanted: string) =>
    put<{ changed: boolean }>(`${SESSION}/password`, { old, new: wanted }),
  tokens: (signal?: AbortSignal) => get<{ tokens: Token[] }>("tokens", signal),
  makeToken: (name: string, days: number | null) =>
    request<{ token: Token; secret: string }>("POST", "tokens", {}, undefined, { name, days }),
  withdrawToken: (id: string) => remove<{ withdrawn: boolean }>(`tokens/${encodeURIComponent(id)}`),
  users: (signal?: AbortSignal) =>
    get<{ users: User[]; unnamed_proxy: UnnamedProxy | null }>("users", signal),
  addUser: (name: string, groups: Group[], password: string) =>
    put<{ user: User }>(user(name), { groups, password }),
  changeUser: (name: string, groups: Group[], disabled: boolean) =>
    put<{ user: User }>(user(name), { groups, disabled }),
  setPassword: (name: string, password: string) =>
    put<{ changed: boolean }>(`${user(name)}/password`, { password }),
  resetSecondStep: (name: string) => remove<{ reset: boolean }>(`${user(name)}/second-step`),
  removeUser: (name: string) => remove<{ deleted: boolean }>(user(name)),
  auditLog: (query: AuditQuery & { limit: number; offset: number }, signal?: AbortSignal) =>
    get<AuditPage>("audit-log", signal, query),
  auditExport: (query: AuditQuery) => addressOf("audit-log/export", query),
  status: (signal?: AbortSignal) => get<Status>("status", signal),
  summary: (days: [number, number], signal?: AbortSignal) =>
    get<Summary>("summary", signal, { days: days[0], more_days: days[1] }),
  fields: (signal?: AbortSignal) => get<DataDictionary>("fields", signal),
  studies: (query: StudyQuery, signal?: AbortSignal) => get<StudyPage>("studies", signal, query),
  countStudies: (query: StudyQuery, signal?: AbortSignal) =>
    get<{ total: number }>("studies/count", signal, query),
  savedFilters: (signal?: AbortSignal) => get<{ saved: SavedFilter[] }>("saved-filters", signal),
  saveFilter: ({ name, modality, query }: SavedFilter) =>
    put<{ saved: SavedFilter }>(savedFilter(name), { modality, query }),
  deleteFilter: (name: string) => remove<{ deleted: boolean }>(savedFilter(name)),
  study: (id: number, signal?: AbortSignal) => get<StudyDetail>(`studies/${id}`, signal),
  studyFile: (
    id: number,
    query: { format: StudyFile; identity: string | null; language: string | null },
  ) => addressOf(`studies/${id}/file`, query),
  studyOpenSkin: (id: number) => addressOf(`studies/${id}/openskin`, {}),
  neighbours: (id: number, query: StudyQuery, signal?: AbortSignal) =>
    get<Neighbours>(`studies/${id}/neighbours`, signal, query),
  history: (id: number, query: { from?: string; to?: string }, signal?: AbortSignal) =>
    get<PatientHistory>(`studies/${id}/history`, signal, query),
  content: (id: number, signal?: AbortSignal) =>
    get<{ objects: ContentObject[]; cut: boolean }>(`studies/${id}/content`, signal),
  wholeContent: (id: number) => addressOf(`studies/${id}/content`, { whole: "yes" }),
  objects: (query: ObjectQuery, signal?: AbortSignal) => get<ObjectPage>("objects", signal, query),
  readAgain: (uid: string) =>
    post<Done<{ object: ObjectRow }>>(`objects/${encodeURIComponent(uid)}/retry`),
  takeOut: (uid: string) =>
    post<Done<{ object: ObjectRow }>>(`objects/${encodeURIComponent(uid)}/take-out`),
  setModality: (system: number, modality: string) =>
    post<Done<{ system: Row }>>(`equipment/${system}/modality/${encodeURIComponent(modality)}`),
  reextraction: (signal?: AbortSignal) => get<Reextraction>("reextract", signal),
  reextract: () => post<Reextraction>("reextract"),
  stopReextraction: () => post<Reextraction>("reextract/stop"),
  settings: (signal?: AbortSignal) => get<SettingList>("settings", signal),
  changeSettings: (values: Record<string, unknown>) =>
    request<SettingList>("PUT", "settings", {}, undefined, values),
  resetSetting: (name: string) => request<Setting>("DELETE", `settings/${name}`, {}),
  region: (signal?: AbortSignal) => get<Region>("settings/region", signal),
  tasks: (query: { kind?: string; limit: number; offset?: number }, signal?: AbortSignal) =>
    get<TaskPage>("tasks", signal, query),
  task: (id: number, signal?: AbortSignal) => get<Task>(`tasks/${id}`, signal),
  taskLog: (
    id: number,
    query: { outcome: string | null; limit: number; offset: number },
    signal?: AbortSignal,
  ) => get<TaskLog>(`tasks/${id}/log`, signal, query),
  stopTask: (id: number) => post<Task>(`tasks/${id}/stop`),
  deleteTask: (id: number) => request<{ deleted: number }>("DELETE", `tasks/${id}`, {}),
  forgetTasks: (ids: number[]) => post<{ deleted: number }>("tasks/forget", { ids }),
  deleteTasks: () => request<{ deleted: number }>("DELETE", "tasks", {}),
  log: (query: LogQuery & { limit: number }, signal?: AbortSignal) =>
    get<LogPage>("log", signal, query),
  logExport: (query: LogQuery) => addressOf("log/export", query),
  reconcile: () => post<{ missing?: number | null; queued?: boolean }>("reconcile"),
  followerFailures: (name: string, signal?: AbortSignal) =>
    get<{ failures: FollowerFailure[] }>(`followers/${encodeURIComponent(name)}/failures`, signal),
  followerTriesAgain: (name: string) =>
    post<{ changes: number }>(`followers/${encodeURIComponent(name)}/try-again`),
};
