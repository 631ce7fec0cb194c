/** Whether the page is being printed: what a page on the screen keeps folded or on further pages, paper has in full. */
import { ref } from "vue";

export const printing = ref(false);

window.addEventListener("beforeprint", () => (printing.value = true));
window.addEventListener("afterprint", () => (printing.value = false));
window.matchMedia("print").addEventListener("change", ({ matches }) => (printing.value = matches));
