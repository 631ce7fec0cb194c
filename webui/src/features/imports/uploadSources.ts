/**
 * What a person gives to be sent: files, folders, zip archives. Each file is opened when its turn comes, so that a folder of
 * any size takes no memory. Archives are read by zip.js (BSD-3-Clause): from the directory at an archive's end it takes one
 * member after the other, of archives beyond 4 GB too, where reading one in full would need it in memory.
 */

export interface Source {
  /** For people: with the folders and the archive that it is in. */
  path: string;
  size: number;
  open: () => Promise<Blob>;
  /** A member of an archive: archives within archives are not opened. */
  archived: boolean;
}

export type Kind = "object" | "archive" | "other";

/** Why something cannot be sent; the key of a text below `upload.reasons`. */
export class Unsendable extends Error {}

const ofFile = (file: File, path: string): Source => ({
  path,
  size: file.size,
  open: async () => file,
  archived: false,
});

/** Files of a chooser, with their folders where one was chosen. */
export async function* chosenFiles(files: File[]): AsyncGenerator<Source> {
  for (const file of files) yield ofFile(file, file.webkitRelativePath || file.name);
}

/** What was dropped on the page. The browser tells it during the event alone: `entriesOf` has to be called there. */
export function entriesOf(drop: DataTransfer): (FileSystemEntry | File)[] {
  return [...drop.items].flatMap((item) => item.webkitGetAsEntry() ?? item.getAsFile() ?? []);
}

export async function* droppedFiles(entries: (FileSystemEntry | File)[]): AsyncGenerator<Source> {
  for (const entry of entries) {
    if (entry instanceof File) {
      yield ofFile(entry, entry.name);
    } else if (entry.isDirectory) {
      const reader = (entry as FileSystemDirectoryEntry).createReader();
      // A hundred entries come at a time, until none comes.
      for (let some = await read(reader); some.length; some = await read(reader))
        yield* droppedFiles(some);
    } else {
      const file = await new Promise<File>((resolve, reject) =>
        (entry as FileSystemFileEntry).file(resolve, reject),
      );
      yield ofFile(file, entry.fullPath.replace(/^\//, ""));
    }
  }
}

function read(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

/** By the first bytes: names of DICOM files say nothing. */
export async function kindOf(blob: Blob): Promise<Kind> {
  const bytes = new DataView(await blob.slice(0, 132).arrayBuffer());
  if (textAt(bytes, 128, 4) === "DICM") return "object";
  if (textAt(bytes, 0, 4) === "PK\x03\x04") return "archive";
  return beginsWithElement(bytes) ? "object" : "other";
}

function textAt(bytes: DataView, from: number, length: number): string {
  if (bytes.byteLength < from + length) return "";
  return String.fromCharCode(...new Uint8Array(bytes.buffer, from, length));
}

// Files without the head that the standard asks for (PS3.10, 7.1) begin with an element of group 0002 or 0008: with the
// letters of its VR, or with a length as first elements have.
function beginsWithElement(bytes: DataView): boolean {
  if (bytes.byteLength < 16) return false;
  const [group, element] = [bytes.getUint16(0, true), bytes.getUint16(2, true)];
  if (![0x0002, 0x0008].includes(group) || element > 0x0018) return false;
  return /^[A-Z]{2}$/.test(textAt(bytes, 4, 2)) || bytes.getUint32(4, true) <= 256;
}

/** The files in an archive. Throws Unsendable. */
export async function* archivedFiles(archive: Blob, path: string): AsyncGenerator<Source> {
  const { BlobReader, BlobWriter, ZipReader, configure } =
    await import("@zip.js/zip.js/lib/zip-core-native.js");
  // Its workers are made of blob: URLs, which the pages do not allow; the browser's own decompression needs none.
  configure({ useWebWorkers: false });
  try {
    for await (const entry of new ZipReader(new BlobReader(archive)).getEntriesGenerator()) {
      if (entry.directory) continue;
      const open = async () => {
        if (entry.encrypted) throw new Unsendable("encrypted");
        try {
          return await entry.getData(new BlobWriter());
        } catch {
          throw new Unsendable("member");
        }
      };
      yield {
        path: `${path}/${entry.filename}`,
        size: entry.uncompressedSize,
        open,
        archived: true,
      };
    }
  } catch {
    throw new Unsendable("archive");
  }
}
