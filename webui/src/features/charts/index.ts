/** What other features may use of this one. */
export { default as ChartDefaultsPanel } from "./ChartDefaultsPanel.vue";
export { default as ChartsPanel } from "./ChartsPanel.vue";
export { chartChoice, chartsOn, switchCharts } from "./chartChoice";
