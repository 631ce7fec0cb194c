/** Sending files to Orthanc, some at a time: what became of each, how far it is, stopping and trying again. */
import { computed, onScopeDispose, shallowRef } from "vue";
import type { ApiError } from "../../shared/api/api";
import { t, te } from "../../shared/language/i18n";
import { asApiError } from "../../shared/api/load";
import { storeObject } from "./orthanc";
import { Unsendable, archivedFiles, kindOf, type Source } from "./uploadSources";

const AT_ONCE = 3;
/** After so many failures in a row nothing more is tried: the server is away, or the session has ended. */
const ENOUGH = 5;
const REDRAW_MS = 150;

/** present: it was there already; dropped: by a rule of the server; refused: by Orthanc, for what it is; skipped: no DICOM. */
export const RESULTS = [
  "waiting",
  "sending",
  "stored",
  "present",
  "dropped",
  "refused",
  "failed",
  "stopped",
  "skipped",
] as const;
export type Result = (typeof RESULTS)[number];
/** Results of what is not in Orthanc and might be, at another try. */
export const AGAIN: readonly Result[] = ["refused", "failed", "stopped"];

export interface Item extends Source {
  result: Result;
  reason: string;
  /** Bytes that have gone. */
  sent: number;
  orthancId: string | null;
}

interface Upload {
  items: Item[];
  counts: Record<Result, number>;
  bytes: { sent: number; total: number };
  /** Files are still looked for, in folders and archives. */
  looking: number;
  running: number;
  /** Why it stopped by itself. */
  halted: string;
}

const nothing = (): Upload => ({
  items: [],
  counts: Object.fromEntries(RESULTS.map((result) => [result, 0])) as Record<Result, number>,
  bytes: { sent: 0, total: 0 },
  looking: 0,
  running: 0,
  halted: "",
});

export function useUpload() {
  let now = nothing();
  /** As the page shows it. */
  const state = shallowRef(now);
  let waiting: Item[] = [];
  let controller = new AbortController();
  let stopped = false;
  let gone = false;
  let failures = 0;
  let timer: number | undefined;

  /** Thousands of files change many times a second: the page draws them now and then. */
  function changed(): void {
    timer ??= window.setTimeout(() => {
      timer = undefined;
      state.value = {
        ...now,
        items: [...now.items],
        counts: { ...now.counts },
        bytes: { ...now.bytes },
      };
    }, REDRAW_MS);
  }

  function put(item: Item, result: Result, reason = ""): void {
    const { counts, bytes } = now;
    counts[item.result] -= 1;
    counts[result] += 1;
    bytes.sent -= item.sent;
    item.result = result;
    item.reason = reason;
    // What is done with counts in full, and what has to go again not at all.
    item.sent =
      result === "waiting" || result === "sending" || AGAIN.includes(result) ? 0 : item.size;
    bytes.sent += item.sent;
    changed();
  }

  function progress(item: Item, sent: number): void {
    const bytes = Math.min(sent, item.size);
    now.bytes.sent += bytes - item.sent;
    item.sent = bytes;
    changed();
  }

  async function add(sources: AsyncGenerator<Source>): Promise<void> {
    const into = now;
    into.looking += 1;
    changed();
    try {
      for await (const source of sources) {
        if (gone) break;
        // After a stop, what is found still stands in the list, for another try.
        const item: Item = {
          ...source,
          result: stopped ? "stopped" : "waiting",
          reason: "",
          sent: 0,
          orthancId: null,
        };
        into.items.push(item);
        into.counts[item.result] += 1;
        into.bytes.total += item.size;
        if (!stopped) waiting.push(item);
        go();
        changed();
      }
    } catch (reason) {
      if (reason instanceof Unsendable) throw reason;
      into.halted = t("upload.reasons.unreadable");
    } finally {
      into.looking -= 1;
      changed();
    }
  }

  function go(): void {
    while (waiting.length && now.running < AT_ONCE) void work();
  }

  async function work(): Promise<void> {
    const into = now;
    into.running += 1;
    for (let item = waiting.shift(); item; item = waiting.shift()) {
      await send(item, controller.signal);
      if (failures >= ENOUGH && waiting.length) halt(item.reason);
    }
    into.running -= 1;
    changed();
  }

  async function send(item: Item, signal: AbortSignal): Promise<void> {
    put(item, "sending");
    try {
      const blob = await item.open();
      const kind = /(^|\/)DICOMDIR$/i.test(item.path) ? "other" : await kindOf(blob);
      if (signal.aborted) put(item, "stopped");
      else if (kind === "archive" && !item.archived) await open(item, blob);
      else if (kind === "object") await store(item, blob, signal);
      else put(item, "skipped");
    } catch (reason) {
      if (signal.aborted) put(item, "stopped");
      else if (reason instanceof Unsendable)
        put(item, "refused", t(`upload.reasons.${reason.message}`));
      else put(item, "failed", t("upload.reasons.unreadable"));
    }
  }

  async function open(archive: Item, blob: Blob): Promise<void> {
    const into = now;
    await add(archivedFiles(blob, archive.path));
    if (archive.result !== "sending") return;
    // Its members stand in its place.
    into.items.splice(into.items.indexOf(archive), 1);
    into.counts.sending -= 1;
    into.bytes.total -= archive.size;
    into.bytes.sent -= archive.sent;
  }

  async function store(item: Item, blob: Blob, signal: AbortSignal): Promise<void> {
    try {
      const { ID, Status } = await storeObject(blob, (sent) => progress(item, sent), signal);
      item.orthancId = ID ?? null;
      failures = 0;
      put(
        item,
        Status === "AlreadyStored" ? "present" : Status === "FilteredOut" ? "dropped" : "stored",
      );
    } catch (reason) {
      if (signal.aborted) return put(item, "stopped");
      const error = asApiError(reason);
      const itself = error.status === 400 || error.status === 413 || error.status === 415;
      failures = itself ? 0 : failures + 1;
      put(item, itself ? "refused" : "failed", reasonOf(error));
    }
  }

  function halt(reason = ""): void {
    failures = 0;
    const rest = waiting;
    waiting = [];
    for (const item of rest) put(item, "stopped");
    now.halted = reason;
    changed();
  }

  function stop(): void {
    stopped = true;
    controller.abort();
    controller = new AbortController();
    halt();
  }

  /** Sends anew what did not arrive. */
  function again(): void {
    stopped = false;
    now.halted = "";
    failures = 0;
    const items = now.items.filter((item) => AGAIN.includes(item.result));
    for (const item of items) put(item, "waiting");
    waiting.push(...items);
    go();
  }

  /** For a new beginning, when nothing runs any more. */
  function clear(): void {
    stopped = false;
    state.value = now = nothing();
  }

  onScopeDispose(() => {
    gone = true;
    stop();
  });
  const busy = computed(() => state.value.looking > 0 || state.value.running > 0);
  return { state, busy, add, stop, again, clear };
}

/** Why Orthanc did not take an object. */
function reasonOf(error: ApiError): string {
  const key = `upload.reasons.${error.code}`;
  return te(key) ? t(key) : error.message;
}
