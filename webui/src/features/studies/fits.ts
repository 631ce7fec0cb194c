/** Whether what stands in a frame is no wider than it: then it need not scroll by itself, and heads can stick to the page. */
import { onBeforeUnmount, ref, watch, type Ref } from "vue";

export function useFits(frame: Readonly<Ref<HTMLElement | null>>): { fits: Ref<boolean> } {
  const fits = ref(false);
  const observer = new ResizeObserver(() => {
    const [outer, inner] = [frame.value, frame.value?.firstElementChild];
    if (outer && inner) fits.value = (inner as HTMLElement).offsetWidth <= outer.clientWidth;
  });
  watch(
    frame,
    (now) => {
      observer.disconnect();
      if (!now) return;
      observer.observe(now);
      if (now.firstElementChild) observer.observe(now.firstElementChild);
    },
    { flush: "post" },
  );
  onBeforeUnmount(() => observer.disconnect());
  return { fits };
}
