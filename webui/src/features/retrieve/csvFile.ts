/** Tables of the pages as files. */

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  let text = Array.isArray(value) ? value.join(" ") : String(value);
  // Text of a node may be what a spreadsheet takes for a formula.
  if (typeof value !== "number" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** CSV (RFC 4180, with a byte order mark): the names of the columns, and the rows below them. */
export function csvFile(columns: string[], rows: unknown[][]): Blob {
  return new Blob(
    ["\ufeff", ...[columns, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`)],
    { type: "text/csv" },
  );
}
