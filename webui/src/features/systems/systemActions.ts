/** What people do to systems, one or several: the dialog that asks, the request, and what is said of it afterwards. */
import { ref } from "vue";

import { errorText } from "../../shared/api/errors";
import { t } from "../../shared/language/i18n";

/** What a change answers; `task_id`: the task that sorts studies anew, where there is one. */
interface Changed {
  task_id?: number | null;
  queued?: boolean;
}

export function useSystemAction(done: () => void) {
  const busy = ref(false);
  const error = ref("");
  const said = ref("");
  /** The task that sorts studies anew after the last change. */
  const task = ref<number | null>(null);

  /** Whether it went well. */
  async function act(change: () => Promise<Changed>, sentence: string): Promise<boolean> {
    busy.value = true;
    error.value = "";
    try {
      const { task_id, queued } = await change();
      task.value = task_id ?? null;
      said.value = queued && !task_id ? `${sentence} ${t("equipment.queued")}` : sentence;
      done();
      return true;
    } catch (reason) {
      error.value = errorText(reason);
      return false;
    } finally {
      busy.value = false;
    }
  }

  return { busy, error, said, task, act };
}
