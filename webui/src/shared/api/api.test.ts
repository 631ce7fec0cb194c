// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from "vitest";
import { addressOf, ApiError, del, get, getBlob, post, put } from "./api";
import { openGate, shut, shutGate } from "./gate";

afterEach(() => {
  vi.unstubAllGlobals();
  openGate();
});

/** Answers in their order; the requests that came. */
function answering(...answers: (Response | Error)[]): Request[] {
  const asked: Request[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push(request);
    const answer = answers.shift()!;
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return asked;
}
const saying = (status: number, error: object) =>
  new Response(JSON.stringify({ error }), { status });
const ok = (body: unknown = {}) => new Response(JSON.stringify(body));
const failure = (call: Promise<unknown>) =>
  call.then(
    () => expect.fail("it was answered"),
    (reason: unknown) => reason as ApiError,
  );

it("puts parameters of a group beside the others, and leaves out what has no value", () => {
  expect(
    addressOf("/charts/{name}/data", {
      path: { name: "ct/dlp?" },
      query: { format: "csv", view: null, filters: { study_description: "a&b", patient_sex: "" } },
    }),
  ).toBe("/dose/api/charts/ct%2Fdlp%3F/data?format=csv&study_description=a%26b");
});

it("gives what the server answers", async () => {
  const asked = answering(ok({ total: 3 }));
  expect(await get("/studies/count", { query: { filters: { modality: "CT" } } })).toEqual({
    total: 3,
  });
  expect(new URL(asked[0]!.url).pathname).toBe("/dose/api/studies/count");
  expect(new URL(asked[0]!.url).search).toBe("?modality=CT");
});

it("sends the header that pages of other sites cannot send with all that changes something", async () => {
  const asked = answering(ok(), ok(), ok(), ok());
  await get("/status");
  await post("/reconcile");
  await put("/charts/options", { body: { on: true } });
  await del("/sql");
  expect(asked.map((one) => one.headers.get("X-Dose-Request"))).toEqual([null, "1", "1", "1"]);
  expect(asked.map((one) => one.headers.get("Accept"))).toEqual(Array(4).fill("application/json"));
  // Orthanc wants a body with each POST.
  expect(await asked[1]!.text()).toBe("{}");
  expect(await asked[2]!.text()).toBe('{"on":true}');
});

it("sends a file as it is", async () => {
  const asked = answering(ok());
  await post("/size-imports", { body: new File(["a;b"], "a.csv", { type: "text/csv" }) });
  expect(asked[0]!.headers.get("Content-Type")).not.toBe("application/json");
  expect(await asked[0]!.text()).toBe("a;b");
});

it("throws what the server says is wrong", async () => {
  const place = { line: 2, column: 5 };
  answering(saying(400, { code: "bad_sql", message: "No.", field: "sql", place }));
  const error = await failure(post("/sql", { body: { sql: "x" } }));
  expect(error).toBeInstanceOf(ApiError);
  expect({ ...error, message: error.message }).toMatchObject({
    status: 400,
    code: "bad_sql",
    message: "No.",
    field: "sql",
    place,
    proof: null,
  });
});

it("gives the puzzle of signing in", async () => {
  answering(saying(423, { code: "proof_needed", message: "Prove.", challenge: "c", bits: 12 }));
  const body = { name: "a", password: "b" };
  expect((await failure(post("/session", { body }))).proof).toEqual({ challenge: "c", bits: 12 });
});

it.each([
  [new Response("<html>", { status: 502 }), 502, "error"],
  [new Response("", { status: 401 }), 401, "unauthorized"],
  [new Response("", { status: 403 }), 403, "forbidden"],
  [new Response("no JSON"), 200, "no_json"],
  [new TypeError("Failed to fetch"), 0, "no_connection"],
])("tells answers that are none of the API's apart: %#", async (answer, status, code) => {
  answering(answer);
  expect(await failure(get("/status"))).toMatchObject({ status, code });
});

it("throws what the abort gives, not that Orthanc does not answer", async () => {
  const abort = new AbortController();
  const gone = new DOMException("gone", "AbortError");
  vi.stubGlobal("fetch", async () => {
    abort.abort();
    throw gone;
  });
  expect(await failure(get("/status", { signal: abort.signal }))).toBe(gone);
});

it("asks again when somebody has signed in after the session ended", async () => {
  const ended = () => saying(401, { code: "not_signed_in", message: "Sign in." });
  const asked = answering(ended(), ok({ changed: true }));
  const call = put("/users/{name}/password", { path: { name: "a" }, body: { password: "b" } });
  await vi.waitFor(() => expect(shut.value).toBe(true));
  expect(asked).toHaveLength(1);
  openGate();
  expect(await call).toEqual({ changed: true });
  expect(await asked[1]!.text()).toBe('{"password":"b"}');
});

it("lets nothing but signing in through while nobody is signed in", async () => {
  shutGate();
  const asked = answering(ok({ session: {} }), ok());
  const waits = get("/status");
  await get("/session");
  expect(asked.map((one) => new URL(one.url).pathname)).toEqual(["/dose/api/session"]);
  openGate();
  await waits;
  expect(asked).toHaveLength(2);
});

it("gives a piece of a file as it is", async () => {
  answering(new Response("piece"));
  const piece = await getBlob("/exports/{id}/file", { path: { id: 1 }, query: { offset: 5 } });
  expect(await piece.text()).toBe("piece");
});
