/** The title of the browser's tab. */
import { shallowRef, watchEffect } from "vue";

export const APP_NAME = "Orthanc Dose";

const title = shallowRef<() => string>(() => "");
watchEffect(() => (document.title = [title.value(), APP_NAME].filter(Boolean).join(" · ")));

/** Set the title of the page; pages call it again when they know more. A function follows the language. */
export function setTitle(text: string | (() => string)): void {
  title.value = typeof text === "string" ? () => text : text;
}
