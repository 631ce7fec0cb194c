import { describe, expect, it } from "vitest";
import { SERIES } from "./chartColours";

type Colour = [number, number, number];

// How eyes without one kind of cones see linear RGB: Machado, Oliveira and Fernandes 2009, severity 1.0.
const EYES: Record<string, number[][]> = {
  all: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const times = (matrix: number[][], [r, g, b]: Colour) =>
  matrix.map(([x = 0, y = 0, z = 0]) => x * r + y * g + z * b) as Colour;

function linear(hex: string): Colour {
  const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
  return parts.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  ) as Colour;
}

/** Björn Ottosson's OKLab, in which distances are as people see them. */
function oklab(colour: Colour): Colour {
  const bounded = colour.map((part) => Math.min(1, Math.max(0, part))) as Colour;
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    bounded,
  );
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones.map(Math.cbrt) as Colour,
  );
}

const luminance = (hex: string) => times([[0.2126, 0.7152, 0.0722]], linear(hex))[0];
/** Of WCAG 2. */
function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((one, other) => one - other) as [
    number,
    number,
  ];
  return (high + 0.05) / (low + 0.05);
}

// The ground: --dose-surface.
describe.each([
  ["light", SERIES.light, "#ffffff"],
  ["dark", SERIES.dark, "#151b22"],
])("series in %s", (_theme, series, ground) => {
  it("stand out from the ground", () => {
    for (const hex of series) expect(contrast(hex, ground), hex).toBeGreaterThanOrEqual(3);
  });

  it.each(Object.keys(EYES))("are told apart: %s", (eyes) => {
    const seen = series.map((hex) => oklab(times(EYES[eyes]!, linear(hex))));
    seen.forEach((one, at) => {
      for (const other of seen.slice(at + 1))
        expect(Math.hypot(...one.map((part, axis) => part - other[axis]!))).toBeGreaterThan(0.15);
    });
  });
});
