/**
 * A part of a page on the full screen: it stands in a dialog, over the whole window and, where the browser lets a page have
 * it, over the whole screen. The part itself stays as it is, with all that was chosen in it.
 */
import { nextTick, ref, type Ref } from "vue";
import { useWindowSize } from "@vueuse/core";

/** content: has a button with `data-full`, where the focus stands afterwards. */
export function useFullScreen(
  dialog: Ref<HTMLDialogElement | undefined>,
  content: Ref<HTMLElement | undefined>,
) {
  const full = ref(false);
  /** Pixels. */
  const { height } = useWindowSize();
  const focus = () =>
    content.value?.querySelector<HTMLElement>("[data-full]")?.focus({ preventScroll: true });

  async function show(): Promise<void> {
    full.value = true;
    dialog.value?.showModal();
    await nextTick();
    await content.value?.requestFullscreen?.().catch(() => undefined);
    focus();
  }

  function leave(): void {
    if (document.fullscreenElement && document.fullscreenElement === content.value)
      void document.exitFullscreen();
    dialog.value?.close();
  }

  /** To be called when the dialog was closed, by whatever. */
  function left(): void {
    full.value = false;
    void nextTick(focus);
  }

  /** To be called when the content has got the whole screen, or has lost it. */
  function changed(): void {
    if (!document.fullscreenElement) dialog.value?.close();
  }

  return { full, height, show, leave, left, changed };
}
