/** What other features may use of this one. */
export { default as HowToSend } from "./HowToSend.vue";
export { default as ObjectTable } from "./ObjectTable.vue";
export { default as QueuePanel } from "./QueuePanel.vue";
export { default as SizeOutcome } from "./SizeOutcome.vue";
export { said, type SizeOutcome as Outcome } from "./sizes";
