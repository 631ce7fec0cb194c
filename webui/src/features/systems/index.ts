/** What other features may use of this one. */
export { equipmentApi } from "./equipmentApi";
export { BY_RULE, modalityChoices } from "./modalityChoices";
