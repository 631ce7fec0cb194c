/** What a row of accumulated values is called: its plane, else its place. */
import type { Row } from "../../shared/dose/row";
import { formatValue, NOTHING } from "../../shared/format";
import { t } from "../../shared/language/i18n";

export function headOfRow(row: Row, at: number, rows: number): string {
  const plane = formatValue(row.acquisition_plane);
  if (plane !== NOTHING) return plane;
  return rows > 1 ? t("study.reportPart", { number: at + 1 }) : t("study.value");
}
