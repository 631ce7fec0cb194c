/** The one place that talks to the server. Which routes there are, what they take and answer: schema.ts. */
import createClient, { createFinalURL, defaultPathSerializer } from "openapi-fetch";
import { passGate, shut, shutGate, signIns } from "./gate";
import type { Challenge } from "../session/proofOfWork";
import type { Address, Answer, Asked, MayLack, Method, Operation, PathWith } from "./calls";
import type { Error as ErrorAnswer } from "./schema";

const ROOT = "/dose/api";

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

/** What is asked, whatever the route is. */
interface Given {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
  signal?: AbortSignal;
}

// Of signing in itself: it does not wait for somebody to be signed in.
const SESSION = "/session";

const client = createClient({
  baseUrl: ROOT,
  credentials: "same-origin",
  headers: { Accept: "application/json" },
  querySerializer: queryText,
  bodySerializer: (body: unknown) => (body instanceof File ? body : JSON.stringify(body)),
  fetch: (request) => fetch(request),
});
const send = client.request as (
  method: Method,
  path: string,
  init: object,
) => Promise<{ response: Response; error?: unknown }>;

/** Parameters without a value are left out; those of a group stand beside the others. */
function queryText(query: Record<string, unknown>): string {
  const parameters = new URLSearchParams();
  const add = (all: object) => {
    for (const [name, value] of Object.entries(all) as [string, unknown][]) {
      if (value === null || value === undefined || value === "") continue;
      if (typeof value === "object") add(value);
      else parameters.set(name, String(value));
    }
  };
  add(query);
  return parameters.toString();
}

const json = async (response: Response): Promise<unknown> => {
  const body: unknown = await response.json().catch(() => null);
  if (body === null)
    throw new ApiError(response.status, "no_json", "The answer of the server is not readable.");
  return body;
};

/** `read`: of an answer that is a success. */
async function request(
  method: Method,
  path: string,
  given: Given = {},
  read: (response: Response) => Promise<unknown> = json,
): Promise<unknown> {
  const { signal } = given;
  for (;;) {
    if (!path.startsWith(SESSION)) await passGate(signal);
    const before = signIns();
    try {
      return await attempt(method, path, given, read);
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
  { path: inPath, query, body, signal }: Given,
  read: (response: Response) => Promise<unknown>,
): Promise<unknown> {
  let answer;
  try {
    answer = await send(method, path, {
      params: { path: inPath, query },
      headers: {
        // A page of another site cannot send this header.
        ...(method === "get" ? {} : { "X-Dose-Request": "1" }),
        // A file has a type of its own.
        ...(body instanceof File ? { "Content-Type": null } : {}),
      },
      // Orthanc wants a body with each POST.
      body: method === "post" || method === "put" ? (body ?? {}) : undefined,
      parseAs: "stream",
      signal,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, "no_connection", "Orthanc does not answer.");
  }
  const { response } = answer;
  if (!response.ok) throw asError(response.status, answer.error);
  return read(response);
}

function asError(status: number, body: unknown): ApiError {
  const error = (body as Partial<ErrorAnswer> | null | undefined)?.error;
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

const caller =
  <M extends Method>(method: M) =>
  <P extends PathWith<M>>(path: P, ...[given]: MayLack<Asked<Operation<P, M>>>) =>
    request(method, path, given as Given | undefined) as Promise<Answer<Operation<P, M>>>;

export const get = caller("get");
export const post = caller("post");
export const put = caller("put");
export const del = caller("delete");

/** A piece of a file. */
export const getBlob = <P extends PathWith<"get">>(
  path: P,
  ...[given]: MayLack<Asked<Operation<P, "get">>>
) =>
  request("get", path, given as Given | undefined, (response) => response.blob()) as Promise<Blob>;

/** The address of what a GET answers, for links. */
export function addressOf<P extends PathWith<"get">>(
  path: P,
  ...[given]: MayLack<Address<Operation<P, "get">>>
): string {
  const { path: inPath, query }: Given = given ?? {};
  return createFinalURL(path, {
    baseUrl: ROOT,
    params: { path: inPath, query },
    querySerializer: queryText,
    pathSerializer: defaultPathSerializer,
  });
}
