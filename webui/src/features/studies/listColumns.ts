/**
 * Columns of the list of studies, and which filters stand open: what people look at first, by modality. All else that
 * may be asked for comes from the data dictionary.
 */
import type { DataDictionary, FieldInfo, FilterInfo } from "../../shared/api/schema";
import {
  descriptionOf,
  findField,
  isNumeric,
  tableTitle,
  titleOf,
  totalTitle,
} from "../../shared/dose/fields";
import { unitBeside } from "../../shared/format";

export interface ListColumn {
  key: string;
  title: string;
  description: string;
  unit: string;
  field: FieldInfo | undefined;
  numeric: boolean;
  sortable: boolean;
}

/** The column that names a study and links to it: always there. */
export const DESCRIPTION = "study_description";
const SYSTEM = "equipment_display_name";
const FIRST = ["study_date", DESCRIPTION, SYSTEM];
const LAST = ["accession_number", "patient_age", "patient_sex"];

// The totals that matter, in this order; they stay in sight where not all columns do.
const TOTALS: Record<string, string[]> = {
  CT: ["dlp_total", "ctdivol_max", "number_of_events", "dose_check_events"],
  RF: [
    "dap_total_a",
    "dap_total_b",
    "dose_rp_total_a",
    "dose_rp_total_b",
    "total_fluoro_time",
    "number_of_events",
  ],
  DX: ["dap_total", "dose_rp_total", "number_of_events"],
  MG: ["agd_left", "agd_right", "agd_unspecified", "number_of_events"],
  NM: [
    "radiopharmaceuticals",
    "radionuclides",
    "administered_activity_total",
    "effective_dose_total",
    "number_of_events",
  ],
};
// What every row has anyway and may stand in a column.
const ALWAYS = ["study_date", "source", "study_instance_uid"];
// A study without a description is called by the next best of these.
const NAMES = [
  "study_description",
  "requested_procedure_description",
  "performed_procedure_step_description",
  "protocol_name",
  "series_description",
];
const SORTABLE = new Set(["number", "integer", "text", "uid", "date", "time", "datetime"]);

/** All columns that a list of the modality can have, usual ones first. */
export function listColumns(dictionary: DataDictionary, modality: string): ListColumn[] {
  const all = possible(dictionary, modality);
  const usual = usualColumns(dictionary, modality);
  return [...usual, ...all.filter((name) => !usual.includes(name))].map((name) =>
    describe(name, modality),
  );
}

export function usualColumns(dictionary: DataDictionary, modality: string): string[] {
  const all = new Set(possible(dictionary, modality));
  const wanted = TOTALS[modality] ?? dictionary.usual_columns[modality] ?? [];
  return [...new Set([...FIRST, ...wanted, ...LAST])].filter((name) => all.has(name));
}

function possible(dictionary: DataDictionary, modality: string): string[] {
  return [...ALWAYS, ...(dictionary.list_columns[modality] ?? [])];
}

/** What the server has to be asked for to show these columns. */
export function columnsToAsk(
  dictionary: DataDictionary,
  modality: string,
  shown: string[],
): string {
  const asked = new Set([...NAMES, SYSTEM, ...shown]);
  return (dictionary.list_columns[modality] ?? []).filter((name) => asked.has(name)).join(",");
}

function describe(name: string, modality: string): ListColumn {
  const ofSystem = findField("equipment", name === SYSTEM ? "display_name" : name);
  const field = findField("study", name) ?? ofSystem;
  const total = name === "number_of_events" ? totalTitle(modality, name) : "";
  return {
    key: name,
    title: name === SYSTEM ? tableTitle("equipment") : total || (field ? titleOf(field) : name),
    description: field ? descriptionOf(field) : "",
    unit: unitBeside(field),
    field,
    numeric: field !== undefined && isNumeric(field),
    sortable: field !== undefined && SORTABLE.has(field.type),
  };
}

// Filters that stand open, by name: of all modalities, and of each.
const FILTERS = ["study_date", "study_description", "acquisition_protocols", "display_name"];
const FILTERS_OF: Record<string, string[]> = {
  CT: ["dlp_total", "ctdivol_max"],
  RF: ["dap_total", "dose_rp_total"],
  DX: ["dap_total"],
  MG: ["agd_left", "agd_right"],
  NM: ["radiopharmaceuticals", "administered_activity_total"],
};

/** The few filters that people use every day. */
export function usualFilters(filters: FilterInfo[], modality: string): FilterInfo[] {
  return [...FILTERS, ...(FILTERS_OF[modality] ?? [])].flatMap(
    (name) => filters.find((one) => one.name === name) ?? [],
  );
}
