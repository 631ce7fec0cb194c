/** What the browser keeps for this user. */
import { computed, type MaybeRefOrGetter, type Ref, type WritableComputedRef } from "vue";
import { useStorage } from "@vueuse/core";

/** What is kept under a key; null: nothing. Where storage is switched off or full, a choice lasts until the page is left. */
export function useMemory(key: MaybeRefOrGetter<string>): Ref<string | null> {
  return useStorage<string | null>(key, null, undefined, {
    flush: "sync",
    // Another tab may have another choice.
    listenToStorageChanges: false,
    onError: () => undefined,
  });
}

/** A list of names kept under a key; null: none, or something else. */
export function useKeptNames(key: MaybeRefOrGetter<string>): WritableComputedRef<string[] | null> {
  const kept = useMemory(key);
  return computed({
    get: () => {
      try {
        const names: unknown = JSON.parse(kept.value ?? "null");
        return Array.isArray(names) ? names.filter((name) => typeof name === "string") : null;
      } catch {
        return null;
      }
    },
    set: (names) => (kept.value = names && JSON.stringify(names)),
  });
}
