/** For the unit tests alone: the texts are there from the start, in English, and so is a browser's language. Node has a navigator of its own from version 21, whose language is the machine's. */
import en from "./locales/en.json";
Object.defineProperty(globalThis, "navigator", {
  value: { languages: ["en-GB"], language: "en-GB" },
  configurable: true,
});

const { i18n } = await import("./shared/language/i18n");
i18n.global.setLocaleMessage("en", en);
