/** Stopping and forgetting tasks, each after a question. */
import { computed, ref, shallowRef } from "vue";
import type { Task } from "../api/schema";
import { post, del } from "../api/api";
import { errorText } from "../api/errors";
import { counted } from "../format";
import { t } from "../language/i18n";
import { EXPORT } from "./exportWords";
import { taskTitle } from "./taskWords";

type Asked =
  | { what: "stop" | "remove"; task: Task }
  | { what: "removeAll"; count: number }
  | { what: "removeExports"; ids: number[] };

/** changed: what to do when something was done; the number of a task that is gone, or null. */
export function useTaskActions(changed: (gone: number | null) => unknown) {
  const asked = shallowRef<Asked | null>(null);
  const busy = ref(false);
  const error = ref("");
  const said = ref("");

  const question = computed(() => {
    const now = asked.value;
    if (!now) return null;
    if (now.what === "removeAll") {
      return {
        title: t("tasks.askAll"),
        text: counted("tasks.askAllWhat", now.count),
        confirm: t("tasks.delete"),
        danger: true,
      };
    }
    if (now.what === "removeExports") {
      const [title, text] = ["exports.askChosen", "exports.askChosenWhat"].map((key) =>
        counted(key, now.ids.length),
      );
      return { title: title!, text: text!, confirm: t("tasks.delete"), danger: true };
    }
    const name = taskTitle(now.task);
    const words = now.task.kind === EXPORT ? "exports" : "tasks";
    if (now.what === "stop")
      return {
        title: t("tasks.askStop", { name }),
        text: t(`${words}.askStopWhat`),
        confirm: t("tasks.stop"),
        danger: false,
      };
    return {
      title: t("tasks.askDelete", { name }),
      text: t(`${words}.askDeleteWhat`),
      confirm: t("tasks.delete"),
      danger: true,
    };
  });

  function ask(now: Asked): void {
    error.value = said.value = "";
    asked.value = now;
  }

  async function act(now: Asked): Promise<number | null> {
    if (now.what === "removeAll") {
      said.value = counted("tasks.deleted", (await del("/tasks")).deleted);
      return null;
    }
    if (now.what === "removeExports") {
      said.value = counted(
        "exports.deleted",
        (await post("/tasks/forget", { body: { ids: now.ids } })).deleted,
      );
      return null;
    }
    if (now.what === "remove") {
      said.value = counted(
        "tasks.deleted",
        (await del("/tasks/{id}", { path: { id: now.task.id } })).deleted,
      );
      return now.task.id;
    }
    const { state } = await post("/tasks/{id}/stop", { path: { id: now.task.id } });
    said.value = t(state === "stopped" ? "tasks.stopped" : "tasks.willStop");
    return null;
  }

  async function confirm(): Promise<void> {
    const now = asked.value;
    if (!now) return;
    busy.value = true;
    try {
      const gone = await act(now);
      asked.value = null;
      changed(gone);
    } catch (reason) {
      error.value = errorText(reason);
    } finally {
      busy.value = false;
    }
  }

  return { asked, question, busy, error, said, ask, confirm };
}
