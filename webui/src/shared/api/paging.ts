/** Which page of a list an address is of, and the ways to its other pages; all else in the address stays. */
import { computed } from "vue";
import { useRoute, useRouter, type LocationQueryRaw } from "vue-router";
import { queryNumber } from "../address";

export const SIZES = [25, 50, 100, 200];
const SIZE = 50;

/** size: rows of a page, one of SIZES, where people can choose. */
export function usePaging() {
  const route = useRoute();
  const router = useRouter();
  const page = computed(() => queryNumber(route.query, "page", 1));
  const size = computed(() => {
    const wanted = queryNumber(route.query, "size", SIZE);
    return SIZES.includes(wanted) ? wanted : SIZE;
  });
  const query = (change: LocationQueryRaw) => ({ query: { ...route.query, ...change } });
  const pageLink = (number: number) => query({ page: number === 1 ? undefined : number });
  const setSize = (number: number) =>
    router.push(query({ size: number === SIZE ? undefined : number, page: undefined }));
  return { page, size, query, pageLink, setSize };
}
