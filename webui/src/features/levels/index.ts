/** What other features may use of this one. */
export { type ComparedLevel } from "./levelApi";
export { classWords, entered, statisticTitle } from "./levelWords";
