/** Storing objects in Orthanc itself. Its own routes are open to those only whom the configuration names. */
import { ApiError } from "../../shared/api/api";

/** What Orthanc answers about an object that it was sent. */
interface Stored {
  ID?: string;
  Status?: string;
}

/**
 * Stores an object by Orthanc's own route: the plugin has none, as an object stored from Python would stand in Orthanc's way.
 * Codes of errors: no_connection, not_allowed, too_large, disk_full, not_readable.
 */
export function storeObject(
  content: Blob,
  progress: (sent: number) => void,
  signal: AbortSignal,
): Promise<Stored> {
  return new Promise((resolve, reject) => {
    // Not fetch, which does not tell how much has gone.
    const call = new XMLHttpRequest();
    const abort = () => call.abort();
    call.open("POST", "/instances");
    call.setRequestHeader("X-Dose-Request", "1");
    call.setRequestHeader("Content-Type", "application/dicom");
    call.responseType = "json";
    call.upload.onprogress = (event) => progress(event.loaded);
    call.onload = () => {
      const body = call.response as (Stored & { Message?: string; Details?: string }) | null;
      if (call.status === 200 && body) return resolve(body);
      const code = STORING[call.status] ?? "error";
      reject(
        new ApiError(
          call.status,
          code,
          body?.Details || body?.Message || `The server answered with status ${call.status}.`,
        ),
      );
    };
    call.onerror = () => reject(new ApiError(0, "no_connection", "Orthanc does not answer."));
    call.onabort = () => reject(new ApiError(0, "stopped", "Stopped."));
    call.onloadend = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    call.send(content);
  });
}

const STORING: Record<number, string> = {
  400: "not_readable",
  401: "not_allowed",
  403: "not_allowed",
  413: "too_large",
  415: "not_readable",
  507: "disk_full",
};
