import { afterEach, describe, expect, it } from "vitest";
import type { FilterInfo } from "../api/schema";
import { chipsOf } from "./filterWords";
import { i18n } from "../language/i18n";
import de from "../../locales/de.json";

const filter = (name: string, more: Partial<FilterInfo>): FilterInfo => ({
  name,
  label: name,
  type: "number",
  group: "dose",
  modalities: [],
  unit: null,
  shown_unit: "",
  shown_factor: 1,
  field: "",
  description: "",
  choices: [],
  identity: false,
  of_one: "",
  parameters: {},
  ...more,
});
const number = (name: string, label: string, more: Partial<FilterInfo>) =>
  filter(name, {
    label,
    parameters: { from: `${name}_from`, to: `${name}_to`, given: `${name}_given` },
    ...more,
  });
const text = (name: string, label: string, more: Partial<FilterInfo>) => {
  const parameters = {
    contains: name,
    not: `${name}_not`,
    is: `${name}_is`,
    exactly: `${name}_exactly`,
    empty: `${name}_empty`,
  };
  return filter(name, { label, type: "text", parameters, ...more });
};
const FILTERS = [
  filter("study_number", {
    label: "Study",
    type: "id",
    group: "",
    parameters: { is: "study_number" },
  }),
  text("ct_event_acquisition_protocol", "Acquisition protocol", { group: "", of_one: "ct_event" }),
  number("ct_event_dlp", "DLP", { group: "", of_one: "ct_event", shown_unit: "mGy·cm" }),
  number("nm_administration_administered_activity", "Activity", {
    group: "",
    of_one: "nm_administration",
    shown_unit: "MBq",
  }),
  text("study_description", "Study description", {}),
  number("dap_total", "DAP total", { shown_unit: "cGy·cm²", shown_factor: 1e6 }),
  number("number_of_events", "Events", { type: "integer" }),
];
const words = (conditions: Record<string, string>) =>
  chipsOf(conditions, FILTERS).map((chip) => chip.text.replaceAll("\u00a0", " "));

const speak = (language: string) => (i18n.global.locale.value = language);
i18n.global.setLocaleMessage("de", de as never);
afterEach(() => speak("en"));

describe("what a chart filters a list by, in words", () => {
  it("is of one event, or of the same one", () => {
    const protocol = { ct_event_acquisition_protocol_exactly: 'Thorax | "low" dose' };
    expect(words(protocol)).toEqual([
      'Acquisition protocol of one event is exactly “Thorax | "low" dose”',
    ]);
    const both = {
      ...protocol,
      ct_event_dlp_from: "100",
      ct_event_dlp_to: "200",
      ct_event_dlp_given: "yes",
    };
    expect(words(both)).toEqual([
      'Acquisition protocol of the same event is exactly “Thorax | "low" dose”',
      "DLP of the same event: 100–200 mGy·cm",
    ]);
    expect(words({ nm_administration_administered_activity_given: "yes" })).toEqual([
      "Activity of one administration: given and not zero",
    ]);
    speak("de");
    expect(words(both)).toEqual([
      'Acquisition protocol desselben Ereignisses ist genau „Thorax | "low" dose“',
      "DLP desselben Ereignisses: 100–200 mGy·cm",
    ]);
  });

  it("takes away with a chip all that it says, and nothing else", () => {
    const conditions = {
      dap_total_from: "1e-6",
      dap_total_given: "yes",
      study_description_empty: "yes",
      odd: "1",
    };
    expect(chipsOf(conditions, FILTERS).map((chip) => chip.parameters)).toEqual([
      ["study_description_empty"],
      ["dap_total_from", "dap_total_given"],
      ["odd"],
    ]);
    expect(words(conditions)).toEqual([
      "Study description: (blank)",
      "DAP total ≥ 1 cGy·cm²",
      "odd: 1",
    ]);
  });

  it("says that a value is given where no bound says so", () => {
    expect(words({ dap_total_given: "yes" })).toEqual(["DAP total: given and not zero"]);
    expect(words({ dap_total_given: "plausible", dap_total_from: "1e-6" })).toContain(
      "DAP total: given, not zero, not marked as implausible",
    );
    expect(words({ dap_total_given: "no" })).toEqual(["DAP total: not given, or zero"]);
    expect(words({ dap_total_to: "1e-6", dap_total_given: "yes" })).toEqual([
      "DAP total ≤ 1 cGy·cm²",
      "DAP total: given and not zero",
    ]);
  });

  it("has as many digits as people read", () => {
    expect(
      words({ dap_total_from: "1.2333333333333333e-05", dap_total_to: "1.9999999999999998e-05" }),
    ).toEqual(["DAP total: 12.3333–20 cGy·cm²"]);
    // Two that differ late keep their digits, and what somebody typed keeps its own.
    expect(words({ ct_event_dlp_from: "1.00000000001", ct_event_dlp_to: "1.00000000002" })).toEqual(
      ["DLP of one event: 1.00000000001–1.00000000002 mGy·cm"],
    );
    expect(words({ dap_total_from: "12.345678e-6" })).toEqual(["DAP total ≥ 12.345678 cGy·cm²"]);
    expect(words({ number_of_events_from: "3", number_of_events_to: "5" })).toEqual([
      "Events: 3–5",
    ]);
  });

  it("names one study by its number", () =>
    expect(words({ study_number: "7" })).toEqual(["Study: 7"]));
});
