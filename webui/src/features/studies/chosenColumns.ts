/** Which columns the list shows, as the user chose them for each modality. */
import { computed } from "vue";
import type { DataDictionary } from "../../shared/api/schema";
import {
  columnsToAsk,
  DESCRIPTION,
  listColumns,
  usualColumns,
  type ListColumn,
} from "./listColumns";
import { useKeptNames } from "../../shared/memory";

export function useChosenColumns(dictionary: () => DataDictionary | null, modality: () => string) {
  const chosen = useKeptNames(() => `dose.list.columns.${modality()}`);

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

  const choose = (keys: string[] | null) => (chosen.value = keys);
  return { columns, shown, asked, choose };
}
