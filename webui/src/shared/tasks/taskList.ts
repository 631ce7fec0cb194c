/** A page of tasks, kept up to date while it can be seen. */
import { getCurrentScope, watch } from "vue";
import { useTimeoutFn } from "@vueuse/core";
import { get } from "../api/api";
import { withFields } from "../dose/fields";
import { useLoad } from "../api/load";
import { noteStates, underWay } from "./tasks";

const OFTEN = 1000;
const SELDOM = 5000;

/** kind: only of this one. */
export function useTaskList(query: { kind?: string; limit: number }, page: () => number) {
  const loaded = useLoad(async (signal) => {
    const answer = await withFields(
      get("/tasks", { query: { ...query, offset: (page() - 1) * query.limit }, signal }),
    );
    noteStates(answer);
    return answer;
  }, page);

  // While something is under way it is looked at often; else now and then, as a short task may come and go in between.
  const scope = getCurrentScope();
  const { start } = useTimeoutFn(
    async () => {
      if (!document.hidden) await loaded.reload({ quietly: true });
      if (scope?.active) start();
    },
    () => (underWay.value ? OFTEN : SELDOM),
  );
  watch(underWay, () => start());
  return loaded;
}
