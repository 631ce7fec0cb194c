/** What other features may use of this one. */
export { BY_RULE, modalityChoices, type SystemModality } from "./modalityChoices";
