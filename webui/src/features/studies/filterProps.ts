/** What the inputs of every type of filter are given and say. */
import type { FilterInfo } from "../../shared/api/schema";
import type { Conditions } from "../../shared/dose/filters";

export interface FilterProps {
  filter: FilterInfo;
  conditions: Conditions;
  /** Parameters whose values are wrong, and the id of the sentence that says why. */
  wrong: string[];
  errorId?: string;
}

export interface FilterEmits {
  set: [change: Conditions];
  unreadable: [parameter: string, sentence: string];
}

/** The attributes of an input whose value is wrong. */
export function faultOf(parameter: string, { wrong, errorId }: FilterProps) {
  return wrong.includes(parameter)
    ? { "aria-invalid": true as const, "aria-describedby": errorId }
    : {};
}
