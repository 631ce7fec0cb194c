/** Whether the filters stand open: as the user left them; at first where there is room beside the list. */
import { ref } from "vue";
import { recall, remember } from "../../shared/memory";

const KEY = "dose.filters";

export function usePanelState() {
  const wide = matchMedia("(min-width: 992px)");
  // Above the list they would hide it: there they open when they are wanted, and that is not remembered.
  const beside = () => wide.matches;
  const remembered = recall(KEY);
  const open = ref(
    remembered ? remembered === "open" && beside() : matchMedia("(min-width: 1200px)").matches,
  );

  function show(now: boolean): void {
    open.value = now;
    if (beside()) remember(KEY, now ? "open" : "closed");
  }
  return { open, beside, show };
}
