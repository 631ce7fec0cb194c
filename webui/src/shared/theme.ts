/** Light or dark: the system's choice or the user's, remembered. public/theme.js applies it before the first paint. */
import { ref, watch } from "vue";
import { recall, remember } from "./memory";

export type Theme = "system" | "light" | "dark";

const KEY = "dose.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function remembered(): Theme {
  const choice = recall(KEY);
  return choice === "light" || choice === "dark" ? choice : "system";
}

export const theme = ref<Theme>(remembered());

function apply(): void {
  const dark = theme.value === "dark" || (theme.value === "system" && system.matches);
  document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
}

system.addEventListener("change", apply);
watch(theme, (choice) => {
  remember(KEY, choice === "system" ? null : choice);
  apply();
});
