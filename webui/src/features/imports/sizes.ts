/** Heights and weights from CSV files: what the server says of a file and of its lines, in words. */
import { t, te } from "../../shared/language/i18n";

export type IdentifierKind = "accession-number" | "study-uid";
export const IDENTIFIER_KINDS: IdentifierKind[] = ["accession-number", "study-uid"];

/** What a user chooses. Columns are numbers from 0; without a unit only cells that name theirs count. */
export interface SizeChoice {
  identifier: number;
  height: number | null;
  weight: number | null;
  kind: IdentifierKind;
  height_unit: "cm" | "m" | null;
  weight_unit: "kg" | null;
  overwrite: boolean;
}

export interface SizeFile {
  id: number;
  encoding: string;
  delimiter: string;
  columns: string[];
  /** What the columns seem to be. */
  guess: Omit<SizeChoice, "identifier" | "overwrite"> & {
    identifier: number | null;
    height_unit_by: "header" | "values" | null;
  };
  rows: { line: number; cells: string[] | null }[];
}

export type SizeOutcome =
  "inserted" | "there already" | "overwritten" | "no study" | "bad value" | "contradiction";

export interface SizeLine {
  line: number;
  identifier: string;
  /** In m and kg. */
  height: number | null;
  weight: number | null;
  study_id: number | null;
  outcome: SizeOutcome;
  message: string | null;
}

/** What is said of a line, part by part: the server's English, or the page's own words for it. */
export function said(message: string | null): string {
  const parts = message?.split("; ") ?? [];
  return parts
    .map((part) => {
      const key = `sizes.said.${part.replace(/[^a-z]+/g, "_")}`;
      return te(key) ? t(key) : part;
    })
    .join("; ");
}

/** Why the import cannot begin yet, as a key of the words; null where it can. */
export function missing(
  choice: Omit<SizeChoice, "identifier"> & { identifier: number | null },
): string | null {
  if (choice.identifier === null) return "identifier";
  if (choice.height === null && choice.weight === null) return "value";
  const columns = [choice.identifier, choice.height, choice.weight].filter((one) => one !== null);
  if (new Set(columns).size < columns.length) return "twice";
  if (choice.height !== null && choice.height_unit === null) return "heightUnit";
  return choice.weight !== null && choice.weight_unit === null ? "weightUnit" : null;
}
