/** The width of an element, for what is drawn to fit it. */
import { ref, type Ref } from "vue";
import { useResizeObserver } from "@vueuse/core";

const LEAST = 240;

export function useWidth(box: Ref<HTMLElement | undefined>): Ref<number> {
  const width = ref(800);
  useResizeObserver(
    box,
    ([entry]) => (width.value = Math.max(entry?.contentRect.width ?? 0, LEAST)),
  );
  return width;
}
