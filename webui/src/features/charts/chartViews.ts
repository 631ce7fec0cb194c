/** Ways to look at a chart that are no figure. */
import { defineAsyncComponent, type Component } from "vue";
import type { RouteLocationRaw } from "vue-router";
import type { Chart, ChartAnswer } from "./chartsApi";
import type { Conditions } from "../../shared/dose/filters";

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
