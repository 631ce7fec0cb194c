/** For the unit tests alone: a browser's language. Node has a navigator of its own from version 21, whose language is the machine's. */
Object.defineProperty(globalThis, "navigator", {
  value: { languages: ["en-GB"], language: "en-GB" },
  configurable: true,
});
