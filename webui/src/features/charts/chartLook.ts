/** What a chart is drawn with: colours, series, options. */

export interface ChartColours {
  text: string;
  line: string;
  surface: string;
  font: string;
  /** Of series, in their order. */
  series: string[];
}

/** What can be switched on and off: a trace, or a slice of a pie. */
export interface ChartSeries {
  at: number;
  /** Plain text. */
  name: string;
  colour: string;
  /** How often all colours have been used before it: 0 for the first ones, the next ones are patterned. */
  round: number;
}

export interface DrawOptions {
  /** Series that are off. */
  hidden: ReadonlySet<number>;
  /** Histograms of several series side by side and not one over the other. */
  beside: boolean;
  /** Pixels. */
  width: number;
  height: number;
  /** Of a picture: with its title and legend in it. */
  whole?: boolean;
}
