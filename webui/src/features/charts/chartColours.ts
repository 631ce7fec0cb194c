/** The colours of charts as the theme has them now. */
import { onScopeDispose, shallowRef, type ShallowRef } from "vue";
import type { ChartColours } from "./chartLook";

// Told apart by eyes of all kinds, and from the ground of each theme: chartColours.test.ts holds them to that.
export const SERIES = {
  light: ["#0d5e8f", "#ff500f", "#02a49f", "#af53ff", "#902000", "#061b64"],
  dark: ["#4aa7e9", "#df8807", "#32f0ff", "#ffd36c", "#9f5201", "#316ca2"],
};

function coloursNow(): ChartColours {
  const style = getComputedStyle(document.body);
  const value = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: value("--bs-body-color"),
    line: value("--dose-border"),
    surface: value("--dose-surface"),
    font: style.fontFamily,
    series: document.documentElement.dataset.bsTheme === "dark" ? SERIES.dark : SERIES.light,
  };
}

export function useChartColours(): ShallowRef<ChartColours> {
  const root = document.documentElement;
  const colours = shallowRef(coloursNow());
  const observer = new MutationObserver(() => (colours.value = coloursNow()));
  observer.observe(root, { attributes: true, attributeFilter: ["data-bs-theme"] });
  onScopeDispose(() => observer.disconnect());
  return colours;
}
