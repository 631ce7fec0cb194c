/** Light or dark: the system's choice or the user's, remembered. public/theme.js applies it before the first paint. */
import { ref, watch } from "vue";

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

/** What the browser keeps for this user; null where it keeps nothing or may not. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Storage is switched off or full: the choice lasts until the page is left.
  }
}
