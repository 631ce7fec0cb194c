/** Ways to look at a chart that are no figure. */
import { defineAsyncComponent, type Component } from "vue";
import type { RouteLocationRaw } from "vue-router";
import type { Chart, ChartAnswer, ParameterView } from "../../shared/api/schema";
import { asFilters, type Conditions } from "../../shared/dose/filters";
import { serverLanguage } from "../../shared/language/i18n";

/** Conditions of the list, and how the chart is looked at. */
export type ChartQuery = Conditions & { view: string };

/** What the server is asked for a chart by. */
export const asQuery = ({ view, ...conditions }: ChartQuery) => ({
  view: view as ParameterView,
  language: serverLanguage.value,
  filters: asFilters(conditions),
});

/** What their components are given. */
export interface ChartViewProps {
  chart: Chart;
  answer: ChartAnswer;
  /** The list of the studies behind a row, by its query. */
  linkTo: (query: Conditions) => RouteLocationRaw;
}

/** By the name of the view. Every other view is a figure with a table of its rows. */
export const OTHER_VIEWS: Record<string, Component<ChartViewProps>> = {
  table: defineAsyncComponent(() => import("./PercentileTable.vue")),
};
