/** A pattern that fits this text alone: its own wildcards in brackets, where they mean themselves. */
export const exactly = (text: string) => text.replace(/[[*?]/g, "[$&]");
