/** The address of a list of studies: filters, order and page stand in it, so that it can be passed on. */
import { computed } from "vue";
import { useRoute, useRouter } from "vue-router";
import { conditionsOf, type Conditions } from "../../shared/dose/filters";
import { usePaging } from "../../shared/api/paging";
import { queryText } from "../../shared/address";

const SORT = "-study_date";

export function useListAddress() {
  const route = useRoute();
  const router = useRouter();

  const { page, size, query, pageLink, setSize } = usePaging();
  const sort = computed(() => queryText(route.query, "sort") ?? SORT);
  const conditions = computed(() => conditionsOf(route.query));
  /** New studies appear here; elsewhere rows would move under the reader. */
  const atTheTop = computed(() => page.value === 1 && sort.value === SORT);

  const sortLink = (key: string) =>
    query({ sort: key === SORT ? undefined : key, page: undefined });
  /** A study with the filters and the order in which it was found, for the way to its neighbours. */
  const studyLink = (id: number) => ({
    name: "study",
    params: { id },
    query: { ...route.query, page: undefined, size: undefined },
  });

  /** Filters anew; order and size of pages stay. */
  function filterLink(wanted: Conditions, modality?: string) {
    const kept = Object.fromEntries(
      ["sort", "size"].flatMap((name) => (route.query[name] ? [[name, route.query[name]]] : [])),
    );
    return {
      name: "studies",
      params: { modality: modality ?? route.params.modality },
      query: { ...kept, ...wanted },
    };
  }

  return {
    page,
    size,
    sort,
    conditions,
    atTheTop,
    pageLink,
    sortLink,
    studyLink,
    setSize,
    setPage: (number: number) => router.push(pageLink(number)),
    filterLink,
    filterBy: (wanted: Conditions, modality?: string) => router.push(filterLink(wanted, modality)),
  };
}

/** The study that was left by the browser's way back to this list, if it was one. */
export function studyLeft(): number | null {
  const forward: unknown = (history.state as { forward?: unknown } | null)?.forward;
  const [, id] = /^\/study\/(\d+)/.exec(typeof forward === "string" ? forward : "") ?? [];
  return id ? Number(id) : null;
}
