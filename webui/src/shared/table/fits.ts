/** Whether what stands in a frame is no wider than it: then it need not scroll by itself, and heads can stick to the page. */
import { computed, ref, type Ref } from "vue";
import { useResizeObserver } from "@vueuse/core";

export function useFits(frame: Readonly<Ref<HTMLElement | null>>): Ref<boolean> {
  const fits = ref(false);
  const inner = computed(() => frame.value?.firstElementChild as HTMLElement | null | undefined);
  useResizeObserver([frame, inner], () => {
    if (frame.value && inner.value) fits.value = inner.value.offsetWidth <= frame.value.clientWidth;
  });
  return fits;
}
