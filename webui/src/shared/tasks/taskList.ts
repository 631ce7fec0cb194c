/** A page of tasks, kept up to date while it can be seen. */
import { onScopeDispose, watch } from "vue";
import { api } from "../api/api";
import { withFields } from "../dose/fields";
import { useLoad } from "../api/load";
import { noteStates, underWay } from "./tasks";

const OFTEN = 1000;
const SELDOM = 5000;

/** kind: only of this one. */
export function useTaskList(query: { kind?: string; limit: number }, page: () => number) {
  const loaded = useLoad(async (signal) => {
    const answer = await withFields(
      api.tasks({ ...query, offset: (page() - 1) * query.limit }, signal),
    );
    noteStates(answer);
    return answer;
  }, page);

  // While something is under way it is looked at often; else now and then, as a short task may come and go in between.
  let timer: number | undefined;
  async function follow(): Promise<void> {
    window.clearTimeout(timer);
    if (!document.hidden) await loaded.reload({ quietly: true });
    plan();
  }
  function plan(): void {
    timer = window.setTimeout(() => void follow(), underWay.value ? OFTEN : SELDOM);
  }
  plan();
  watch(underWay, () => {
    window.clearTimeout(timer);
    plan();
  });
  onScopeDispose(() => window.clearTimeout(timer));
  return loaded;
}
