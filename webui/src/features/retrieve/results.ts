/** What the tasks of query-retrieve say at their end. Counts are of what was found; null where the node does not say of all. */
import type {
  RetrievalResult as SomeRetrieval,
  SearchResult as SomeSearch,
} from "../../shared/api/schema";

export type SearchResult = Required<SomeSearch>;
export type RetrievalResult = Required<SomeRetrieval>;
