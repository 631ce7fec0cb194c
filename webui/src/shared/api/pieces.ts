/**
 * Files in pieces: while Orthanc sends one answer its Python waits, so that a large file over a slow line would hold up all
 * others. A piece fits into the buffers of a connection.
 */

/** Bytes up to which a file comes whole. */
export const SMALL = 2 ** 20;

/** All pieces of a file of `size` bytes, in their order. `fetched` hears how many bytes are there. Rejects where one is empty. */
export async function inPieces(
  size: number,
  piece: (offset: number) => Promise<Blob>,
  fetched: (bytes: number) => void,
): Promise<Blob> {
  const parts: Blob[] = [];
  for (let offset = 0; offset < size;) {
    const part = await piece(offset);
    if (!part.size) throw new Error("The file is shorter than it was said to be.");
    parts.push(part);
    offset += part.size;
    fetched(offset);
  }
  return new Blob(parts);
}

/** Hands a file to the browser, as a link with `download` does. */
export function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser has begun to read it when this task has ended.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
