/** A sheet that a `details` element opens: Escape and a click beside it close it. */
import { onBeforeUnmount, onMounted, type Ref } from "vue";

export function useSheet(box: Ref<HTMLDetailsElement | undefined>, mayClose: () => boolean = () => true) {
  function close(): void {
    if (!box.value?.open) return;
    box.value.open = false;
    box.value.querySelector("summary")?.focus();
  }

  // A row that moves is out of the page for a moment: where the click began tells whether it was inside.
  function closeOutside(event: MouseEvent): void {
    if (box.value?.open && mayClose() && !event.composedPath().includes(box.value)) box.value.open = false;
  }

  onMounted(() => document.addEventListener("click", closeOutside));
  onBeforeUnmount(() => document.removeEventListener("click", closeOutside));
  return { close };
}
