/** Which columns the list shows, as the user chose them for each modality. */
import { computed, ref, watch } from "vue";
import {
  columnsToAsk,
  DESCRIPTION,
  listColumns,
  usualColumns,
  type ListColumn,
} from "./listColumns";
import { recall, remember } from "../../shared/memory";
import type { DataDictionary } from "../../shared/api/types";

export function useChosenColumns(dictionary: () => DataDictionary | null, modality: () => string) {
  const memory = () => `dose.list.columns.${modality()}`;
  const chosen = ref<string[] | null>(null);
  watch(memory, (key) => (chosen.value = keysIn(recall(key))), { immediate: true });

  const columns = computed(() => (dictionary() ? listColumns(dictionary()!, modality()) : []));
  const shown = computed<ListColumn[]>(() => {
    if (!dictionary()) return [];
    const keys = chosen.value ?? usualColumns(dictionary()!, modality());
    // What links to the study cannot be left out.
    const all = keys.includes(DESCRIPTION) ? keys : [DESCRIPTION, ...keys];
    return all.flatMap((key) => columns.value.find((one) => one.key === key) ?? []);
  });
  const asked = computed(() =>
    dictionary()
      ? columnsToAsk(
          dictionary()!,
          modality(),
          shown.value.map((one) => one.key),
        )
      : "",
  );

  function choose(keys: string[] | null): void {
    chosen.value = keys;
    remember(memory(), keys && JSON.stringify(keys));
  }
  return { columns, shown, asked, choose };
}

function keysIn(text: string | null): string[] | null {
  try {
    const keys: unknown = JSON.parse(text ?? "null");
    return Array.isArray(keys) ? keys.filter((key) => typeof key === "string") : null;
  } catch {
    return null;
  }
}
