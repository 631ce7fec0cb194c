/** What can be done to a study's objects and its system, and where the study is after it. */
import { ref, watch, type ShallowRef } from "vue";
import { useRouter } from "vue-router";
import { asFilters } from "../../shared/dose/filters";
import type { Study, StudyInList } from "../../shared/api/schema";
import { get, post } from "../../shared/api/api";
import { errorText } from "../../shared/api/errors";
import { loadFields, modalityTitle, outcomeTitle, withFields } from "../../shared/dose/fields";
import { t } from "../../shared/language/i18n";
import { say } from "../../shared/ui/notice";
import { onStoreChange, pollNow } from "../../shared/api/status";

interface LastAction {
  said: string;
  undo?: string;
}

/** What makes a list hold possible test data too, which it leaves out by itself. */
async function testData(): Promise<Record<string, string>> {
  const filter = (await loadFields()).filters.find(({ name }) => name === "test_data");
  const parameter = filter?.parameters.any;
  return parameter ? { [parameter]: filter.choices.map(({ value }) => value).join(",") } : {};
}

export function useStudyActions(study: ShallowRef<Study | null>) {
  const router = useRouter();
  const busy = ref(new Set<string>());
  /** What was done last to this study, whose consequences may come later. */
  let last: LastAction | null = null;
  watch(
    () => study.value?.id,
    () => (last = null),
  );

  /** Shows the study as it is now: under its number, under another of the same DICOM study, or not at all. */
  async function follow(anyway = false): Promise<void> {
    const before = study.value;
    if (!before) return;
    const filters = asFilters({
      study_instance_uid: String(before.study_instance_uid),
      ...(await testData()),
    });
    const { studies } = await get("/studies", { query: { filters } });
    if (studies.some(({ id }) => id === before.id)) {
      const now = await withFields(get("/studies/{id}", { path: { id: before.id } }));
      const same =
        now.stored_at === before.stored_at && now.objects.length === before.objects.length;
      if (study.value === before && (anyway || !same)) study.value = now;
    } else if (study.value === before && last) {
      await leave(
        before,
        studies.find((one) => one.equipment_id === before.equipment_id) ?? studies[0],
        last,
      );
    }
  }

  async function leave(
    before: Study,
    next: StudyInList | undefined,
    { said, undo }: LastAction,
  ): Promise<void> {
    const options = { undo, pagesToGo: 1 };
    if (next) {
      const now = t("study.did.moved", { number: next.id, modality: modalityTitle(next.modality) });
      say(`${said} ${now}`, options);
      await router.replace({
        name: "study",
        params: { id: next.id },
        query: router.currentRoute.value.query,
      });
    } else {
      say(`${said} ${t("study.did.gone", { number: before.id })}`, options);
      await router.replace({ name: "studies", params: { modality: before.modality } });
    }
  }

  async function after(said: string, queued: boolean, undo?: string): Promise<void> {
    last = { said, undo };
    say(queued ? `${said} ${t("study.did.queued")}` : said, { undo });
    try {
      await follow(true);
    } catch (reason) {
      say(`${said} ${t("study.did.stale", { reason: errorText(reason) })}`, { undo });
    }
    void pollNow();
  }

  const modalitySet = (queued: boolean) => after(t("study.did.modalitySet"), queued);

  const takenOut = (uid: string, queued: boolean) => after(t("study.did.takenOut"), queued, uid);

  async function readAgain(uid: string): Promise<void> {
    busy.value.add(uid);
    try {
      const answer = await post("/objects/{sop_instance_uid}/retry", {
        path: { sop_instance_uid: uid },
      });
      const said =
        "object" in answer
          ? t("study.did.read", { outcome: outcomeTitle(answer.object.outcome) })
          : t("study.did.willRead");
      await after(said, "queued" in answer);
    } catch (reason) {
      say(errorText(reason));
    } finally {
      busy.value.delete(uid);
    }
  }

  // Objects of this study come and go, here or elsewhere.
  onStoreChange(() => void follow().catch(() => undefined));

  return { busy, modalitySet, takenOut, readAgain };
}
