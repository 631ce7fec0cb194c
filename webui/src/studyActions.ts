/** What can be done to a study's objects and its system, and where the study is after it. */
import { ref, watch, type ShallowRef } from "vue";
import { useRouter } from "vue-router";
import { api } from "./api";
import { findModality, withFields } from "./fields";
import { asApiError } from "./load";
import { say } from "./notice";
import { onStoreChange, pollNow } from "./status";
import type { Study, StudyDetail } from "./types";

interface Deed {
  said: string;
  undo?: string;
}

export function useStudyActions(study: ShallowRef<StudyDetail | null>) {
  const router = useRouter();
  const busy = ref(new Set<string>());
  /** What was done last to this study, whose consequences may come later. */
  let last: Deed | null = null;
  watch(() => study.value?.id, () => (last = null));

  /** Shows the study as it is now: under its number, under another of the same DICOM study, or not at all. */
  async function follow(anyway = false): Promise<void> {
    const before = study.value;
    if (!before) return;
    const { studies } = await api.studies({ study_instance_uid: String(before.study_instance_uid) });
    if (studies.some(({ id }) => id === before.id)) {
      const now = await withFields(api.study(before.id));
      const same = now.stored_at === before.stored_at && now.objects.length === before.objects.length;
      if (study.value === before && (anyway || !same)) study.value = now;
    } else if (study.value === before && last) {
      await leave(before, studies.find((one) => one.equipment_id === before.equipment_id) ?? studies[0], last);
    }
  }

  async function leave(before: StudyDetail, next: Study | undefined, { said, undo }: Deed): Promise<void> {
    const options = { undo, pagesToGo: 1 };
    if (next) {
      say(`${said} The study is now number ${next.id}, ${findModality(next.modality)?.title ?? next.modality}.`, options);
      await router.replace({ name: "study", params: { id: next.id } });
    } else {
      say(`${said} Study ${before.id} is no longer in the dose record.`, options);
      await router.replace({ name: "studies", params: { modality: before.modality } });
    }
  }

  async function after(said: string, queued: boolean, undo?: string): Promise<void> {
    last = { said, undo };
    say(queued ? `${said} That comes as soon as what is being read now is done.` : said, { undo });
    try {
      await follow(true);
    } catch (reason) {
      say(`${said} The page could not be brought up to date: ${asApiError(reason).message}`, { undo });
    }
    void pollNow();
  }

  const modalitySet = (queued: boolean) => after("The modality type of the system is set.", queued);

  const takenOut = (uid: string, queued: boolean) => after("The object is taken out of the dose record.", queued, uid);

  async function readAgain(uid: string): Promise<void> {
    busy.value.add(uid);
    try {
      const { object, queued } = await api.readAgain(uid);
      await after(object ? `The object was read again: ${object.outcome}.` : "The object will be read again.", queued === true);
    } catch (reason) {
      say(asApiError(reason).message);
    } finally {
      busy.value.delete(uid);
    }
  }

  // Objects of this study come and go, here or elsewhere.
  onStoreChange(() => void follow().catch(() => undefined));

  return { busy, modalitySet, takenOut, readAgain };
}
