/** The width of an element, for what is drawn to fit it. */
import { onBeforeUnmount, onMounted, ref, type Ref } from "vue";

const LEAST = 240;

export function useWidth(box: Ref<HTMLElement | undefined>): Ref<number> {
  const width = ref(800);
  let observer: ResizeObserver | undefined;
  onMounted(() => {
    observer = new ResizeObserver(
      ([entry]) => (width.value = Math.max(entry?.contentRect.width ?? 0, LEAST)),
    );
    if (box.value) observer.observe(box.value);
  });
  onBeforeUnmount(() => observer?.disconnect());
  return width;
}
