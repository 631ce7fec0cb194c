// @vitest-environment happy-dom
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import type { FieldInfo } from "../api/schema";
import { ApiError } from "../api/api";
import { errorText } from "../api/errors";
import * as fields from "./fields";
import { counted } from "../format";
import { i18n } from "../language/i18n";

function field(name: string, title: string, more: Partial<FieldInfo> = {}): FieldInfo {
  return {
    name,
    title,
    type: "number",
    unit: null,
    shown_unit: null,
    shown_factor: 1,
    description: "",
    concepts: [],
    header: [],
    limits: null,
    source: "",
    modalities: [],
    fields: [],
    ...more,
  };
}

beforeAll(async () => {
  vi.stubGlobal("document", { documentElement: {} });
  const dictionary = {
    tables: [
      {
        name: "study",
        title: "Studies",
        description: "",
        fields: [
          field("dlp_total", "DLP total"),
          field("patient_age", "Age", { shown_unit: "years" }),
          field("of_tomorrow", "Of tomorrow"),
        ],
      },
      {
        name: "ct_event",
        title: "CT irradiation events",
        description: "",
        fields: [
          field("event_number", "Event"),
          field("xray_sources", "X-ray sources", {
            type: "structs",
            fields: [field("kvp", "KVP", { shown_unit: "kV" })],
          }),
        ],
      },
    ],
    modalities: [
      {
        code: "CT",
        title: "Computed tomography",
        events_table: "ct_event",
        accumulated_table: null,
        totals: [],
      },
    ],
    marks: { computed: "computed from other values" },
    outcomes: { failed: "it could not be read" },
    sources: { "image header": "dose values of a header" },
    filters: [],
  };
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify(dictionary)));
  await fields.loadFields();
  const { setLanguage } = await import("../language/i18n");
  for (const language of ["de", "en"]) await setLanguage(language, false);
});
afterEach(() => {
  i18n.global.locale.value = "en";
});

function words() {
  const [source] = fields.tableFields("ct_event").slice(1);
  return [
    fields.fieldTitle("study", "dlp_total"),
    fields.fieldTitle("study", "of_tomorrow"),
    fields.titleOf(source!.fields[0]!),
    fields.findField("study", "patient_age")!.shown_unit,
    fields.modalityTitle("CT"),
    fields.eventWord("CT", 1),
    fields.totalTitle("CT", "number_of_events"),
    fields.sourceTitle("image header"),
    fields.outcomeTitle("failed"),
  ];
}

it("calls the things of the dictionary by the words of the language, and by the server's where it has none", () => {
  expect(words()).toEqual([
    "DLP total",
    "Of tomorrow",
    "KVP",
    "years",
    "Computed tomography",
    "event",
    "Events",
    "image header",
    "failed",
  ]);
  i18n.global.locale.value = "de";
  expect(words()).toEqual([
    "DLP gesamt",
    "Of tomorrow",
    "Röhrenspannung",
    "Jahre",
    "Computertomographie",
    "Ereignis",
    "Ereignisse",
    "Bildkopf",
    "fehlgeschlagen",
  ]);
});

it("says what became of tasks in the language of the pages, with the server's numbers and what it does not know", () => {
  expect(fields.taskSentence("It failed because of an internal error: OSError.")).toBe(
    "It failed because of an internal error: OSError.",
  );
  i18n.global.locale.value = "de";
  expect(
    fields.taskSentence(
      "The statement was stopped after 300 s, which is the time limit (setting sql_seconds).",
    ),
  ).toBe(
    "Die Anweisung wurde nach 300 s gestoppt, weil sie die Zeitgrenze erreicht hat (Einstellung „Zeitgrenze“).",
  );
  expect(fields.taskSentence("It failed because of an internal error: OSError.")).toBe(
    "Fehlgeschlagen wegen eines internen Fehlers: OSError.",
  );
  expect(fields.taskSentence("Of tomorrow: 1, 2.")).toBe("Of tomorrow: 1, 2.");
});

it("says errors by their code, with the server's sentence where that says more", () => {
  const bad = new ApiError(400, "bad_parameter", "limit must be a whole number.", "limit");
  expect(errorText(bad)).toBe("limit must be a whole number.");
  expect(errorText(new ApiError(0, "no_connection", "?"))).toMatch(/^Orthanc is not responding\./);
  i18n.global.locale.value = "de";
  expect(errorText(bad)).toBe("Ein Wert ist ungültig. limit must be a whole number.");
  expect(errorText(new ApiError(502, "error", "?"))).toMatch(
    /^Der Server meldet einen Fehler \(Status 502\)\./,
  );
  expect(errorText(new ApiError(400, "of_tomorrow", "Something else."))).toBe("Something else.");
});

it("takes the plural form that the number asks for in each language", () => {
  expect([0, 1, 2].map((count) => counted("app.count.studies", count))).toEqual([
    "0 studies",
    "1 study",
    "2 studies",
  ]);
  i18n.global.locale.value = "de";
  expect([0, 1, 2].map((count) => counted("app.count.studies", count))).toEqual([
    "0 Studien",
    "1 Studie",
    "2 Studien",
  ]);
});
