/** The routes that import heights and weights. */
import { post, remove } from "../../shared/api/api";
import type { SizeChoice, SizeFile, SizeLine } from "./sizes";

export const sizesApi = {
  upload: (file: File) => post<SizeFile>("size-imports", file),
  preview: (id: number, choice: SizeChoice, signal?: AbortSignal) =>
    post<{ rows: SizeLine[] }>(`size-imports/${id}/preview`, choice, signal),
  start: (id: number, choice: SizeChoice) =>
    post<{ task_id: number }>(`size-imports/${id}/start`, choice),
  remove: (id: number) => remove<{ deleted: boolean }>(`size-imports/${id}`),
};
