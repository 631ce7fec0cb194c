/** Who is signed in, and what that opens. */
import { useEventListener } from "@vueuse/core";
import { computed, shallowRef } from "vue";
import type { RouteMeta } from "vue-router";
import type { Session } from "../api/schema";
import { GROUPS } from "../facts";
import { type ApiError, get, post, put, del } from "../api/api";
import { ended, openGate, shut, shutGate } from "../api/gate";
import { asApiError } from "../api/load";
import { prove, type Proof } from "./proofOfWork";
import { loadRegion } from "../language/region";

export { GROUPS };
/** What a user may do; see records/access.py. */
export type Group = Session["groups"][number];

export const session = shallowRef<Session | null>(null);
/** Why nobody knows who is signed in: the server is away. */
export const sessionError = shallowRef<ApiError | null>(null);

/** Whether the user is in one of these groups. */
export const may = (...groups: Group[]): boolean =>
  groups.some((group) => session.value?.groups.includes(group));
/** Whether a page that needs one of these groups is open to the user. */
export const mayOpen = (needs?: Group[]): boolean => !needs?.length || may(...needs);
/** Whether menus name a page to the user: one that is of use through Orthanc's own routes only to those who may use these. */
export const isListed = (meta: RouteMeta): boolean =>
  mayOpen(meta.needs) && (!meta.orthanc || !!session.value?.may_use_orthanc);
export const administers = computed(() => may("administration"));
/** Whether one signs in and out here: not where Orthanc itself asks for the password, or a proxy does. */
export const signsInHere = computed(
  () => session.value?.way === null || session.value?.way === "cookie",
);

async function take(now: Session): Promise<void> {
  session.value = now;
  sessionError.value = null;
  if (!now.signed_in) return shutGate();
  openGate();
  // Before the first page stands there: how it writes dates.
  await loadRegion();
}

/** Asks who is signed in. */
export async function loadSession(): Promise<void> {
  try {
    await take((await get("/session")).session);
  } catch (reason) {
    sessionError.value = asApiError(reason);
  }
}

/** Throws ApiError: 401 for a wrong name or password. After many wrong ones the server asks for a proof
 * of work, perhaps for several: `progress` is then told how far the first of them is, 1 after it.
 * `code`: of the second step, without which a right password is answered with 401, second_step_needed. */
export async function signIn(
  name: string,
  password: string,
  code = "",
  progress: (part: number) => void = () => {},
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  let proof: Proof | undefined;
  for (;;) {
    try {
      const body = { name, password, code, ...proof };
      return await take((await post("/session", { body })).session);
    } catch (reason) {
      const asked = asApiError(reason).proof;
      if (!asked) throw reason;
      const again = proof !== undefined;
      proof = await prove(asked, (part) => progress(again ? 1 : part), signal);
    }
  }
}

/** To the page where one signs in. It is loaded anew, so that nothing of the user's stays in it. */
export function leave(): void {
  location.assign(`${import.meta.env.BASE_URL}sign-in`);
}

export async function signOut(): Promise<void> {
  shutGate();
  let elsewhere: string | null;
  try {
    elsewhere = (await del("/session")).at_provider;
  } catch (reason) {
    openGate();
    throw reason;
  }
  if (elsewhere) location.assign(elsewhere);
  else leave();
}

/** It ends all sessions: signs in again at once with the new one. */
export async function changePassword(old: string, wanted: string): Promise<void> {
  shutGate();
  try {
    await put("/session/password", { body: { old, new: wanted } });
  } catch (reason) {
    openGate();
    throw reason;
  }
  try {
    await signIn(session.value?.name ?? "", wanted);
  } catch {
    // It is changed all the same: the page asks for it.
    shutGate(true);
  }
}

/** In another tab of the browser somebody may have signed in meanwhile, or out. */
async function lookAgain(): Promise<void> {
  if (document.hidden || !session.value?.name || (shut.value && !ended.value)) return;
  const now = (await get("/session").catch(() => null))?.session;
  if (!now) return;
  if (!now.signed_in) shutGate(true);
  else if (now.name === session.value.name) await take(now);
  // What stands here belongs to somebody else.
  else location.reload();
}
useEventListener(document, "visibilitychange", () => void lookAgain());
