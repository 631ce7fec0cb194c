/** How many characters of a text of an object are shown before the rest is asked for. */
export const LONGEST = 400;
export const isLong = (text: string): boolean => text.length > LONGEST;
