/** A chart as a picture, in light colours, with its title and legend. */
import type { Chart, ChartAnswer } from "../../shared/api/schema";
import type { ChartColours } from "./chartLook";
import { SERIES } from "./chartColours";
import { drawn } from "./chartFigure";

export type PictureFormat = "png" | "svg";

const SIZE = { width: 1200, height: 700 };
const SCALE = 2; // pixels of a PNG for each of the drawing's
const ON_PAPER: ChartColours = {
  text: "#1b2430",
  line: "#dde1e7",
  surface: "#ffffff",
  font: "Arial, 'Liberation Sans', sans-serif",
  series: SERIES.light,
};

export interface PictureOptions {
  hidden: ReadonlySet<number>;
  beside: boolean;
}

export async function pictureOf(
  chart: Chart,
  answer: ChartAnswer,
  format: PictureFormat,
  options: PictureOptions,
): Promise<Blob> {
  const { default: plotly } = await import("./plotly");
  const { data, layout } = drawn(chart, answer, ON_PAPER, { ...options, ...SIZE, whole: true });
  const address = await plotly.toImage({ data, layout }, { format: "svg", ...SIZE });
  const svg = decodeURIComponent(address.slice(address.indexOf(",") + 1));
  return format === "svg" ? new Blob([svg], { type: "image/svg+xml" }) : rastered(address);
}

/** By the browser itself. plotly would do it by an address of a kind (blob:) that the pages' policy does not let images have. */
async function rastered(address: string): Promise<Blob> {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [SIZE.width * SCALE, SIZE.height * SCALE];
  const context = canvas.getContext("2d")!;
  context.scale(SCALE, SCALE);
  context.drawImage(image, 0, 0, SIZE.width, SIZE.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("The picture could not be made."))),
      "image/png",
    );
  });
}

/** The name of a chart's file: its own, how it is looked at, and the day. */
export function pictureName(chart: Chart, view: string, format: string, day: Date): string {
  const iso = [
    day.getFullYear(),
    String(day.getMonth() + 1).padStart(2, "0"),
    String(day.getDate()).padStart(2, "0"),
  ].join("-");
  return `${chart.name}-${view}-${iso}.${format}`;
}
