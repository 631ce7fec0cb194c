/** The charts that there are and what the user has chosen of them: asked for once, the same wherever it is shown. */
import { computed, shallowRef } from "vue";
import type {
  Chart,
  ChartOption,
  ChartOptionChanges,
  ChosenOptions,
} from "../../shared/api/schema";
import { get, put } from "../../shared/api/api";
import { serverLanguage } from "../../shared/language/i18n";

const all = shallowRef<{ charts: Chart[]; options: ChartOption[]; language: string } | null>(null);
/** null until it is loaded. */
export const chartChoice = shallowRef<ChosenOptions | null>(null);
/** The options as the server declares them. */
export const chartOptions = computed(() => all.value?.options ?? []);
export const chartsOn = computed(() => chartChoice.value?.options.on ?? false);

/** Whether it is known which charts there are. */
export const chartsListed = computed(() => all.value !== null);

export async function loadChoice(signal?: AbortSignal): Promise<void> {
  chartChoice.value = await get("/charts/options", { signal });
}

/** Load the charts that there are, as soon as they are on: a list without charts does without. */
export async function loadCharts(signal?: AbortSignal): Promise<void> {
  const language = serverLanguage.value;
  if (!chartsOn.value || all.value?.language === language) return;
  all.value = { ...(await get("/charts", { query: { language }, signal })), language };
}

/** Keeps what the user chooses; the charts follow. */
export async function chooseCharts(change: ChartOptionChanges): Promise<void> {
  chartChoice.value = await put("/charts/options", { body: change });
}

/** All of them, by one click: at once, whatever the server says to keeping it. */
export async function switchCharts(on: boolean): Promise<void> {
  const before = chartChoice.value;
  if (before) chartChoice.value = { ...before, options: { ...before.options, on } };
  try {
    await chooseCharts({ on });
  } catch (reason) {
    chartChoice.value = before;
    throw reason;
  }
}

/** Those of all modality types. */
export const everyChart = computed(() => all.value?.charts ?? []);

/** All charts of a modality. */
export const chartsOf = (modality: string): Chart[] =>
  all.value?.charts.filter((chart) => chart.modality === modality) ?? [];

/** Those of them that the user wants to see. */
export function chosenCharts(modality: string): Chart[] {
  const wanted: readonly string[] | null | undefined = chartChoice.value?.options.charts;
  return chartsOf(modality).filter(({ name }) => !wanted || wanted.includes(name));
}

/** What the charts' pictures depend on, for reloading them when it changes. */
export const optionsOfFigures = computed(() => {
  const { on: _on, charts: _charts, ...others } = chartChoice.value?.options ?? {};
  return JSON.stringify(others);
});
