/** Names on the axes of charts: as many as there is room for, and plain text whatever they look like. */
import type { Figure } from "./chartFigure";

// Signs that a name has on an axis where it does not stand beside the next one: on a low picture, and on a high one.
export const LONGEST_NAMES = [16, 32] as const;
const HIGH = 450; // pixels
const SPACE_OF_NAME = 22; // pixels along the axis
const WIDTH_OF_SIGN = 7.5; // pixels, about

/** A name as plotly shows it: it takes some HTML for marks. */
export const escaped = (text: string): string =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
export const plain = (text: string): string =>
  text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

/** A name on the horizontal axis, and where it stands. */
export interface ChartName {
  at: number;
  name: string;
}

/** Names with room for them, of those in sight. range: where the axis begins and ends. */
export function namesInSight(
  names: ChartName[],
  range: number[],
  { width, height }: { width: number; height: number },
) {
  const [from, to] = [Math.min(...range), Math.max(...range)];
  const seen = names.filter(({ at }) => at >= from && at <= to);
  const step = Math.max(1, Math.ceil((seen.length * SPACE_OF_NAME) / Math.max(width, 1)));
  const room = Math.floor(width / Math.max(seen.length, 1) / WIDTH_OF_SIGN);
  const longest = Math.max(LONGEST_NAMES[height < HIGH ? 0 : 1], room);
  const kept = seen.filter((_, number) => number % step === 0);
  return {
    tickvals: kept.map(({ at }) => at),
    ticktext: kept.map(({ name }) => shortened(name, longest)),
  };
}

/** The name, escaped, with so many signs at most. */
export function shortened(name: string, longest: number): string {
  const signs = [...plain(name)];
  return escaped(
    signs.length > longest
      ? `${signs
          .slice(0, longest - 1)
          .join("")
          .trimEnd()}…`
      : signs.join(""),
  );
}

/** All names of the horizontal axis; null where it has numbers or days. */
export function namesOf(figure: Figure): ChartName[] | null {
  const { tickvals, ticktext } = (figure.layout.xaxis ?? {}) as {
    tickvals?: number[];
    ticktext?: string[];
  };
  return tickvals && ticktext
    ? tickvals.map((at, number) => ({ at, name: ticktext[number] ?? "" }))
    : null;
}
