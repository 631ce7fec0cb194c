/**
 * What a topic of the settings page has beside its settings: components that are loaded when the topic is shown. Each gets
 * the topic's `settings` and their `values` as they stand on the page, saved or not; it may emit `set` (a setting's name and
 * value) to put a value into the form, and `changed` where the server's settings are others now.
 */
import { defineAsyncComponent, type Component } from "vue";

type Load = () => Promise<Component | { default: Component }>;

const PANELS: Record<string, Load[]> = {
  identity: [() => import("./IdentityPanel.vue")],
  "test data": [() => import("./NotPatientPanel.vue")],
  estimates: [() => import("./EstimatesPanel.vue")],
  exports: [() => import("./CopyPanel.vue")],
  backup: [() => import("./BackupPanel.vue")],
  charts: [() => import("../charts").then((charts) => charts.ChartDefaultsPanel)],
};

const made = Object.entries(PANELS).map(
  ([topic, panels]) => [topic, panels.map((load) => defineAsyncComponent(load))] as const,
);

/** The panels by topic. */
export const panelsOf: Readonly<Record<string, Component[]>> = Object.fromEntries(made);
