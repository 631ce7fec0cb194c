/** What other features may use of this one. */
export { searchOf } from "./retrieveWords";
