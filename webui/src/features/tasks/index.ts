/** What other features may use of this one. */
export { default as TasksBadge } from "./TasksBadge.vue";
