/** What other features may use of this one. */
export { default as ExportDialog } from "./ExportDialog.vue";
export { default as StartedExports } from "./StartedExports.vue";
export { useLeftOut } from "./leftOut";
export { startedExports } from "./startedExports";
