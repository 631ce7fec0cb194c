import type { Study, StudyInList } from "../api/schema";

/** A record: fields by name, as the data dictionary declares them. */
export type Row = Record<string, unknown>;
/** A study of a list, or alone, whose fields can be looked at by their names. */
export type ListedStudy = StudyInList & Row;
export type WholeStudy = Study & Row;
