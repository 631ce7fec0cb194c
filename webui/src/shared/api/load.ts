/** Loading for pages and components: aborted on leave and when a newer load begins. */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";
import { ApiError } from "./api";
import { released } from "../ui/press";

export interface Loaded<T> {
  data: ShallowRef<T | null>;
  error: ShallowRef<ApiError | null>;
  loading: Ref<boolean>;
  /** Loads again; quietly means that what is shown stays even if that fails. */
  reload: (options?: { quietly?: boolean }) => Promise<void>;
}

/**
 * Runs `load` at once and whenever `key` changes. Old data stay until new ones are there, unless `key` says that they
 * are about something else: `resetOn` names the part of it that makes them so.
 */
export function useLoad<T>(
  load: (signal: AbortSignal) => Promise<T>,
  key: () => unknown = () => null,
  resetOn: () => unknown = () => null,
): Loaded<T> {
  const data = shallowRef<T | null>(null);
  const error = shallowRef<ApiError | null>(null);
  const loading = ref(false);
  let controller: AbortController | null = null;

  async function reload({ quietly = false } = {}): Promise<void> {
    // A quiet refresh must not abort the load that somebody waits for.
    if (quietly && loading.value) return;
    controller?.abort();
    const mine = new AbortController();
    controller = mine;
    if (!quietly) {
      loading.value = true;
      error.value = null;
    }
    try {
      const loaded = await load(mine.signal);
      // Nobody asked for this one now: it must not move a button away under a click.
      if (quietly) await released();
      if (mine.signal.aborted) return;
      data.value = loaded;
      error.value = null;
    } catch (reason) {
      if (mine.signal.aborted) return;
      if (!(quietly && data.value)) error.value = asApiError(reason);
    } finally {
      if (controller === mine) loading.value = false;
    }
  }

  watch(resetOn, () => (data.value = null), { flush: "sync" });
  watch(key, () => void reload(), { immediate: true });
  onScopeDispose(() => controller?.abort());
  return { data, error, loading, reload };
}

export function asApiError(reason: unknown): ApiError {
  if (reason instanceof ApiError) return reason;
  return new ApiError(0, "page_error", reason instanceof Error ? reason.message : String(reason));
}
