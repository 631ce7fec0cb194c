/** Whether the filters stand open: as the user left them; at first where there is room beside the list. */
import { ref } from "vue";
import { useMediaQuery } from "@vueuse/core";
import { useMemory } from "../../shared/memory";

export function usePanelState() {
  const wide = useMediaQuery("(min-width: 992px)");
  const wider = useMediaQuery("(min-width: 1200px)");
  // Above the list they would hide it: there they open when they are wanted, and that is not remembered.
  const beside = () => wide.value;
  const kept = useMemory("dose.filters");
  const open = ref(kept.value ? kept.value === "open" && beside() : wider.value);

  function show(now: boolean): void {
    open.value = now;
    if (beside()) kept.value = now ? "open" : "closed";
  }
  return { open, beside, show };
}
