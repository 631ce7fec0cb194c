/** Where everything of a plot stands, in pixels of its frame. Pure functions. */
import { decimalsFor, formatNumber } from "../../shared/format";
import { ticks, timeUnit, type Plot, type PlotPoint } from "./plots";

export const HEIGHT = 230;
export const SPACE = { left: 82, right: 14, top: 20, bottom: 42 };
// Room that a number below the axis needs.
const OF_TIME = 80;
const OF_BAR = 34;
const WIDEST_BAR = 44;

export interface Tick {
  at: number;
  text: string;
}

export interface PlotLayout {
  bottom: number;
  bar: number;
  places: { point: PlotPoint; x: number; y: number }[];
  xTicks: Tick[];
  yTicks: Tick[];
  /** The unit of the axis of time; null where the events stand in their order. */
  unit: string | null;
}

export function layOut({ points, x: kind }: Plot, width: number): PlotLayout {
  const inner = width - SPACE.left - SPACE.right;
  const bottom = HEIGHT - SPACE.bottom;
  const values = ticks(Math.max(...points.map(({ y }) => y)), 4);
  const y = (value: number) => bottom - (value / values.at(-1)!) * (bottom - SPACE.top);
  const decimals = decimalsFor(values);
  const band = inner / points.length;
  const { unit, length } = timeUnit(Math.max(...points.map((point) => point.x), 0));
  const times = ticks(
    Math.max(...points.map((point) => point.x), 0) / length,
    Math.floor(inner / OF_TIME),
  );
  const x = (value: number) =>
    SPACE.left +
    (kind === "time" ? (value / (times.at(-1)! * length)) * inner : (value + 0.5) * band);
  const every = Math.max(1, Math.ceil((points.length * OF_BAR) / inner));
  return {
    bottom,
    bar: Math.max(Math.min(band * 0.7, WIDEST_BAR), 1),
    places: points.map((point) => ({ point, x: x(point.x), y: y(point.y) })),
    xTicks:
      kind === "time"
        ? times.map((one) => ({ at: x(one * length), text: formatNumber(one) }))
        : points.flatMap(({ row, x: place }, at) =>
            at % every ? [] : { at: x(place), text: String(row.event_number ?? at + 1) },
          ),
    yTicks: values.map((one) => ({ at: y(one), text: formatNumber(one, decimals) })),
    unit: kind === "time" ? unit : null,
  };
}
