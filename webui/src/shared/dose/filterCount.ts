/** How many studies match conditions that are still being typed. */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";
import { type ApiError, get } from "../api/api";
import { asFilters, type Conditions } from "./filters";
import { asApiError } from "../api/load";
import { storeState } from "../api/status";

const PAUSE = 250;

export interface Count {
  /** null as long as it is not known: nothing was counted yet, or the conditions are wrong. */
  total: Ref<number | null>;
  counting: Ref<boolean>;
  error: ShallowRef<ApiError | null>;
}

/**
 * Counts when the typing pauses; an answer to what no longer stands there is dropped. `known` gives the number where somebody
 * else has it already, or is about to ("coming").
 */
export function useCount(
  modality: () => string,
  conditions: () => Conditions,
  known: () => number | "coming" | null = () => null,
): Count {
  const total = ref<number | null>(null);
  const counting = ref(false);
  const error = shallowRef<ApiError | null>(null);
  let timer: number | undefined;
  let controller: AbortController | null = null;

  function stop(): void {
    window.clearTimeout(timer);
    controller?.abort();
  }

  async function count(): Promise<void> {
    const mine = (controller = new AbortController());
    try {
      const answer = await get("/studies/count", {
        query: { filters: asFilters({ ...conditions(), modality: modality() }) },
        signal: mine.signal,
      });
      if (mine.signal.aborted) return;
      total.value = answer.total;
      error.value = null;
    } catch (reason) {
      if (mine.signal.aborted) return;
      total.value = null;
      error.value = asApiError(reason);
    }
    counting.value = false;
  }

  watch(
    [modality, () => JSON.stringify(conditions()), storeState, known],
    ([, , , number], [before]) => {
      stop();
      counting.value = typeof number !== "number";
      if (typeof number === "number") {
        total.value = number;
        error.value = null;
      }
      if (number !== null) return;
      timer = window.setTimeout(() => void count(), before === undefined ? 0 : PAUSE);
    },
    { immediate: true },
  );
  onScopeDispose(stop);
  return { total, counting, error };
}
