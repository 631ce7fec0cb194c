/** Asks before a page is left while something on it would be lost: within the app by a dialog, else by the browser itself. */
import { onScopeDispose, shallowRef } from "vue";
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

  function warn(event: BeforeUnloadEvent): void {
    if (wouldBeLost()) event.preventDefault();
  }
  window.addEventListener("beforeunload", warn);
  onScopeDispose(() => window.removeEventListener("beforeunload", warn));
  return { asked, answer };
}
