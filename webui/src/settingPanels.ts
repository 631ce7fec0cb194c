/**
 * What a topic of the settings page has beside its settings: components that are loaded when the topic is shown. Each gets
 * the topic's `settings` and their `values` as they stand on the page, saved or not; it may emit `set` (a setting's name and
 * value) to put a value into the form, and `changed` where the server's settings are others now.
 */
import { defineAsyncComponent, type Component } from "vue";

type Load = () => Promise<{ default: Component }>;

const PANELS: Record<string, Load[]> = {
  identity: [() => import("./components/IdentityPanel.vue")],
  "test data": [() => import("./components/NotPatientPanel.vue")],
  exports: [() => import("./components/CopyPanel.vue")],
  charts: [() => import("./components/ChartDefaultsPanel.vue")],
};

const made = Object.entries(PANELS).map(
  ([topic, panels]) => [topic, panels.map((load) => defineAsyncComponent(load))] as const,
);

/** The panels by topic. */
export const panelsOf: Readonly<Record<string, Component[]>> = Object.fromEntries(made);
