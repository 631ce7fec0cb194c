/** Data that are loaded again after a while. */
import { watch, type Ref } from "vue";
import { useTimeoutFn } from "@vueuse/core";

/** Loads again so many milliseconds after each answer; null: this was the last. Ends with the component. */
export function useLoadAgain(
  { data, reload }: { data: Ref<unknown>; reload: (how: { quietly: boolean }) => Promise<unknown> },
  pause: () => number | null,
): void {
  const { start, stop } = useTimeoutFn(
    () => reload({ quietly: true }),
    () => pause() ?? 0,
    {
      immediate: false,
    },
  );
  watch(data, () => (pause() === null ? stop() : start()));
}
