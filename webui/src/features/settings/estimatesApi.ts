/** Routes of tables of coefficients for effective doses. */
import { get, put, remove } from "../../shared/api/api";

export interface CoefficientTable {
  key: string;
  version: string;
  kind: string;
  title: string;
  weights: string;
  source: string;
  note: string;
  own: boolean;
}
interface Tables {
  tables: CoefficientTable[];
}

export const estimatesApi = {
  tables: (signal: AbortSignal) => get<Tables>("estimate-tables", signal),
  set: (kind: string, table: unknown) => put<Tables>(`estimate-tables/${kind}`, { table }),
  remove: (kind: string) => remove<Tables>(`estimate-tables/${kind}`),
};
