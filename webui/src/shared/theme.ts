/** Light or dark: the system's choice or the user's, remembered. public/theme.js applies it before the first paint. */
import { computed, watchEffect } from "vue";
import { usePreferredDark } from "@vueuse/core";
import { useMemory } from "./memory";

export type Theme = "system" | "light" | "dark";

const kept = useMemory("dose.theme");
const systemIsDark = usePreferredDark();

export const theme = computed<Theme>({
  get: () => (kept.value === "light" || kept.value === "dark" ? kept.value : "system"),
  set: (choice) => (kept.value = choice === "system" ? null : choice),
});

watchEffect(() => {
  const dark = theme.value === "dark" || (theme.value === "system" && systemIsDark.value);
  document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
});
