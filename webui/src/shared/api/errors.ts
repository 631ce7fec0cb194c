/** What went wrong, in the language of the pages where its code says enough, else in the server's sentence. */
import type { ApiError } from "./api";
import { serverSentence } from "../dose/fields";
import { t, te } from "../language/i18n";
import { asApiError } from "./load";

export function errorText(reason: unknown): string {
  const error: ApiError = asApiError(reason);
  const own = `errors.${error.code}`;
  if (te(own)) return t(own, { status: error.status });
  return serverSentence(error.code, error.message);
}
