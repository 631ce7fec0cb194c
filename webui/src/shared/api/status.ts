/** The server's state, asked for every few seconds while the page can be seen; one poll for the whole app. */
import { computed, ref, shallowRef, watch } from "vue";
import { useEventListener } from "@vueuse/core";
import type { Status } from "./schema";
import { type ApiError, get } from "./api";
import { shut } from "./gate";
import { asApiError } from "./load";
import { may, session } from "../session/session";
import { wordAt } from "../language/i18n";

const INTERVAL = 5000;

export const status = shallowRef<Status | null>(null);
export const statusError = shallowRef<ApiError | null>(null);
/** Changes whenever the store does: pages that show counts load again then. */
export const storeState = computed(() => {
  const store = status.value?.store;
  return store ? JSON.stringify([store.studies, store.events, store.objects]) : null;
});
export const polls = ref(0);
/** Why the import waits, or waited last; undefined if there was no error. */
export const whyItWaits = computed(() => {
  const error = status.value?.queue.last_error;
  return error ? (wordAt("dictionary", "causes", error.cause) ?? error.reason) : undefined;
});

let timer: number | undefined;
let busy = false;

export async function pollNow(): Promise<void> {
  window.clearTimeout(timer);
  if (busy || shut.value || !may("view", "administration")) return;
  busy = true;
  try {
    status.value = await get("/status", { signal: AbortSignal.timeout(4 * INTERVAL) });
    statusError.value = null;
  } catch (reason) {
    if (!shut.value) statusError.value = asApiError(reason);
  } finally {
    busy = false;
    polls.value += 1;
    if (!document.hidden) timer = window.setTimeout(() => void pollNow(), INTERVAL);
  }
}

export function startPolling(): void {
  useEventListener(document, "visibilitychange", () => {
    if (document.hidden) window.clearTimeout(timer);
    else void pollNow();
  });
  watch([shut, session], () => void pollNow(), { immediate: true });
}

/** Calls back when the store has changed since the page was opened; ends with the component. */
export function onStoreChange(changed: () => void): void {
  watch(storeState, (_now, before) => {
    if (before !== null) changed();
  });
}
