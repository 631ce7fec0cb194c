/** Exports that were started in this tab and that nobody has put away yet: lists show them until their files are fetched. */
import { ref } from "vue";

/** The numbers of their tasks, the newest first. */
export const startedExports = ref<number[]>([]);

export function putAway(id: number): void {
  startedExports.value = startedExports.value.filter((one) => one !== id);
}
