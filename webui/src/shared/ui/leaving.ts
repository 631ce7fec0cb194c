/** Asks before a page is left while something on it would be lost: within the app by a dialog, else by the browser itself. */
import { shallowRef } from "vue";
import { useEventListener } from "@vueuse/core";
import { onBeforeRouteLeave } from "vue-router";

export function useLeaving(wouldBeLost: () => boolean) {
  const asked = shallowRef<((leave: boolean) => void) | null>(null);
  onBeforeRouteLeave(
    () => !wouldBeLost() || new Promise<boolean>((answer) => (asked.value = answer)),
  );

  function answer(leave: boolean): void {
    asked.value?.(leave);
    asked.value = null;
  }

  useEventListener(window, "beforeunload", (event) => {
    if (wouldBeLost()) event.preventDefault();
  });
  return { asked, answer };
}
