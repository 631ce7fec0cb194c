/** How many tasks are under way on the server, for the whole app. */
import { onScopeDispose, ref, watch } from "vue";
import { useEventListener } from "@vueuse/core";
import type { TaskPage } from "./taskState";
import { get } from "../api/api";
import { shut } from "../api/gate";
import { session } from "../session/session";

const INTERVAL = 5000;

/** How many are under way or wait. */
export const underWay = ref(0);

/** To be told of each answer with the states of all tasks. */
export function noteStates({ states }: Pick<TaskPage, "states">): void {
  underWay.value = (states.running ?? 0) + (states.waiting ?? 0);
}

/** Looks every few seconds while the page can be seen and somebody is signed in; ends with the component. */
export function watchTasks(): void {
  let timer: number | undefined;
  let busy = false;
  async function look(): Promise<void> {
    window.clearTimeout(timer);
    if (busy || document.hidden || shut.value || !session.value?.signed_in) return;
    busy = true;
    try {
      noteStates(
        await get("/tasks", { query: { limit: 1 }, signal: AbortSignal.timeout(4 * INTERVAL) }),
      );
    } catch {
      // The state of the server is told by who asks for it.
    } finally {
      busy = false;
      timer = window.setTimeout(() => void look(), INTERVAL);
    }
  }
  const again = () => void look();
  watch([shut, session], again, { immediate: true });
  useEventListener(document, "visibilitychange", again);
  onScopeDispose(() => window.clearTimeout(timer));
}
