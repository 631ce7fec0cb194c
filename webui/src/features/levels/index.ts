/** What other features may use of this one. */
export { classWords, entered, statisticTitle } from "./levelWords";
