/** Whether the page is being printed: what a page on the screen keeps folded or on further pages, paper has in full. */
import { ref, watch } from "vue";
import { useEventListener, useMediaQuery } from "@vueuse/core";

export const printing = ref(false);

useEventListener(window, "beforeprint", () => (printing.value = true));
useEventListener(window, "afterprint", () => (printing.value = false));
watch(useMediaQuery("print"), (now) => (printing.value = now), { flush: "sync" });
