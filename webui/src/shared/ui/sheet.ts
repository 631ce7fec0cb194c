/** A sheet that a `details` element opens: Escape and a click beside it close it. */
import { watch, type Ref } from "vue";
import { useEventListener } from "@vueuse/core";
import { useRoute } from "vue-router";

export function useSheet(
  box: Ref<HTMLDetailsElement | undefined>,
  mayClose: () => boolean = () => true,
) {
  function close(): void {
    if (!box.value?.open) return;
    box.value.open = false;
    box.value.querySelector("summary")?.focus();
  }

  // A row that moves is out of the page for a moment: where the click began tells whether it was inside.
  function closeOutside(event: MouseEvent): void {
    if (box.value?.open && mayClose() && !event.composedPath().includes(box.value))
      box.value.open = false;
  }

  useEventListener(document, "click", closeOutside);
  return { close };
}

/** One with links in it: going to another page closes it, too. */
export function useMenu(box: Ref<HTMLDetailsElement | undefined>) {
  const route = useRoute();
  watch(
    () => route.fullPath,
    () => box.value && (box.value.open = false),
  );

  // Focus that leaves by keyboard closes it too, so that it never covers where the focus is.
  function left(event: FocusEvent): void {
    const to = event.relatedTarget as Node | null;
    if (box.value && to && !box.value.contains(to)) box.value.open = false;
  }
  return { ...useSheet(box), left };
}
