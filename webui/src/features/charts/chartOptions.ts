/** Options of charts: their words, what a change makes of them, and keeping it with a way back. */
import { computed, ref, shallowRef } from "vue";
import type { Chart, ChartOption, ChartOptionChanges, ChartOptions } from "../../shared/api/schema";
import { errorText } from "../../shared/api/errors";
import { counted } from "../../shared/format";
import { t, te } from "../../shared/language/i18n";

/** What is shown in a form. own: options that do not follow the default. */
export interface OptionState {
  options: ChartOptions;
  own: string[];
  defaults: ChartOptions;
}

const word = (key: string, otherwise: string) => (te(key) ? t(key) : otherwise);

export const optionTitle = ({ name }: ChartOption): string =>
  word(`charts.options.titles.${name}`, name);
/** What it means; the server's words, in English, where the pages have none. */
export const optionAbout = ({ name, description }: ChartOption): string =>
  word(`charts.options.about.${name}`, description);
export const choiceTitle = ({ name }: ChartOption, value: string): string =>
  word(`charts.options.choices.${name}.${value}`, value);

/** A value in words. */
export function valueTitle(option: ChartOption, value: unknown): string {
  if (option.kind === "flag") return t(value ? "app.yes" : "app.no");
  if (option.kind === "choice") return choiceTitle(option, String(value));
  if (option.kind === "integer") return String(value);
  return value === null
    ? t("charts.options.every")
    : counted("charts.options.some", (value as string[]).length);
}

/** The options after a change; null in it sets one back to the default. A list of all names is all. */
export function changedState(
  state: OptionState,
  change: ChartOptionChanges,
  declared: ChartOption[],
): OptionState {
  const options: Record<string, unknown> = { ...state.options };
  const own = new Set(state.own);
  for (const [name, value] of Object.entries(change)) {
    if (value === null) own.delete(name);
    else own.add(name);
    const all = declared.find((one) => one.name === name)?.allowed.length;
    options[name] =
      value === null
        ? state.defaults[name as keyof ChartOptions]
        : Array.isArray(value) && value.length === all
          ? null
          : value;
  }
  return { ...state, options: options as unknown as ChartOptions, own: [...own] };
}

/** The change that takes another one back. */
export function takenBack(
  state: OptionState,
  change: ChartOptionChanges,
  declared: ChartOption[],
): ChartOptionChanges {
  const before = Object.keys(change).map((name) => {
    const value = state.options[name as keyof ChartOptions];
    if (!state.own.includes(name)) return [name, null];
    // All of them, which only a list of all says.
    return [name, value ?? declared.find((one) => one.name === name)?.allowed ?? null];
  });
  return Object.fromEntries(before) as ChartOptionChanges;
}

/** The charts of some names that are shown after some of them are, or are not: null stands for all. */
export function withCharts(
  shown: string[] | null,
  all: Chart[],
  some: Chart[],
  on: boolean,
): string[] {
  const names = new Set(shown ?? all.map(({ name }) => name));
  for (const { name } of some) {
    if (on) names.add(name);
    else names.delete(name);
  }
  return all.map(({ name }) => name).filter((name) => names.has(name));
}

/**
 * Changes that are shown at once and kept on the server one after the other. What it does not keep is taken back.
 * state: as the server last said; save: keeps a change, after which `state` says so.
 */
export function useOptionChanges(
  state: () => OptionState | null,
  declared: () => ChartOption[],
  save: (change: ChartOptionChanges) => Promise<void>,
) {
  const waiting = shallowRef<ChartOptionChanges[]>([]);
  const past = shallowRef<ChartOptionChanges[]>([]);
  const failed = ref("");
  const saved = ref(false);
  const shown = computed(() => {
    const now = state();
    return (
      now && waiting.value.reduce((before, change) => changedState(before, change, declared()), now)
    );
  });
  let last = Promise.resolve();

  function keep(wanted: ChartOptionChanges): Promise<boolean> {
    waiting.value = [...waiting.value, wanted];
    saved.value = false;
    const done = last.then(async () => {
      try {
        await save(wanted);
        failed.value = "";
        return true;
      } catch (reason) {
        failed.value = errorText(reason);
        return false;
      } finally {
        waiting.value = waiting.value.filter((one) => one !== wanted);
        saved.value = !waiting.value.length && !failed.value;
      }
    });
    last = done.then(() => undefined);
    return done;
  }

  async function change(wanted: ChartOptionChanges): Promise<void> {
    const back = takenBack(shown.value!, wanted, declared());
    past.value = [...past.value, back];
    if (!(await keep(wanted))) past.value = past.value.filter((one) => one !== back);
  }
  function undo(): void {
    const back = past.value.at(-1);
    past.value = past.value.slice(0, -1);
    if (back) void keep(back);
  }
  return { shown, change, undo, undoable: computed(() => past.value.length), failed, saved };
}
