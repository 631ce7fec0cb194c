/** How many studies a list leaves out since they may be test data, which it does unless they are asked for. */
import { computed, onScopeDispose, ref, watch } from "vue";
import type { DataDictionary } from "../../shared/api/schema";
import { get } from "../../shared/api/api";
import { type Conditions, asFilters } from "../../shared/dose/filters";

const FILTER = "test_data";

/** Counted again with each `list` that has come. */
export function useLeftOut(
  dictionary: () => DataDictionary | null,
  modality: () => string,
  conditions: () => Conditions,
  list: () => unknown,
) {
  const number = ref(0);
  let controller: AbortController | null = null;

  const filter = computed(() => dictionary()?.filters.find((one) => one.name === FILTER));
  const parameter = computed(() => filter.value?.parameters.any ?? "");
  const choices = computed(() => filter.value?.choices.map((choice) => choice.value) ?? []);
  /** The conditions with those studies among the others. */
  const withThem = computed<Conditions>(() => ({
    ...conditions(),
    [parameter.value]: choices.value.join(","),
  }));

  async function count(): Promise<void> {
    controller?.abort();
    const mine = (controller = new AbortController());
    const only = choices.value.at(-1);
    if (!only || !list() || parameter.value in conditions()) {
      number.value = 0;
      return;
    }
    const filters = asFilters({
      ...conditions(),
      modality: modality(),
      [parameter.value]: only,
    });
    // A sentence on the side: without an answer it is not there.
    const answer = await get("/studies/count", {
      query: { filters },
      signal: mine.signal,
    }).catch(() => null);
    if (!mine.signal.aborted) number.value = answer?.total ?? 0;
  }

  watch(list, () => void count());
  onScopeDispose(() => controller?.abort());
  return { number, withThem };
}
