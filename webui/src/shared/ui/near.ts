/** What is loaded only when it is about to be seen. */
import { onBeforeUnmount, onMounted, ref, watch, type Ref } from "vue";

export function useNear(element: Ref<HTMLElement | undefined>) {
  const near = ref(false);
  let observer: IntersectionObserver | undefined;
  onMounted(() => {
    // scrollMargin: the same for boxes that scroll by themselves, where the browser knows it.
    const margins = { rootMargin: "250px", scrollMargin: "0px 250px" } as IntersectionObserverInit;
    observer = new IntersectionObserver(
      (entries) => (near.value = entries.at(-1)!.isIntersecting),
      margins,
    );
    if (element.value) observer.observe(element.value);
  });
  onBeforeUnmount(() => observer?.disconnect());

  /** Rejects with the signal's reason when nobody waits for it any more. */
  function whenNear(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (near.value) return resolve();
      const stop = watch(
        near,
        () => (stop(), signal.removeEventListener("abort", leave), resolve()),
        { flush: "sync" },
      );
      const leave = () => (stop(), reject(signal.reason as Error));
      signal.addEventListener("abort", leave, { once: true });
    });
  }
  return { near, whenNear };
}
