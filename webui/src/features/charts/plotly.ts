/** plotly.js with the traces that charts use, and nothing more: loaded when the first chart is drawn. */
import bar from "plotly.js/lib/bar";
import box from "plotly.js/lib/box";
import Plotly from "plotly.js/lib/core"; // has scatter
import heatmap from "plotly.js/lib/heatmap";
import pie from "plotly.js/lib/pie";
import hoverConstants from "plotly.js/src/components/fx/constants";
import throttle from "plotly.js/src/lib/throttle";
import { separators } from "../../shared/format";
import { locale } from "../../shared/language/region";

Plotly.register([bar, box, heatmap, pie]);

/** Names of months and days on axes in the user's language; returns what plotly knows the language by. */
export function plotlyLocale(): string {
  const name = locale.value;
  const words = (options: Intl.DateTimeFormatOptions, dates: number[][]) => {
    const format = new Intl.DateTimeFormat(name, {
      ...options,
      timeZone: "UTC",
      calendar: "gregory",
    });
    return dates.map(([month = 0, day = 1]) => format.format(Date.UTC(2024, month, day)));
  };
  const months = Array.from({ length: 12 }, (_, month) => [month]);
  const days = Array.from({ length: 7 }, (_, day) => [8, 1 + day]); // 2024-09-01 was a Sunday
  const { group, decimal } = separators.value;
  Plotly.register({
    moduleType: "locale",
    name,
    dictionary: {},
    format: {
      days: words({ weekday: "long" }, days),
      shortDays: words({ weekday: "short" }, days),
      months: words({ month: "long" }, months),
      shortMonths: words({ month: "short" }, months),
      decimal,
      thousands: group,
    },
  });
  return name;
}

/**
 * Has plotly look anew at what is under the pointer when the figure is clicked. Within 50 ms of a move it would take what
 * it had found before: nothing, and the click is lost, or what the pointer has just left.
 */
export function lookAgain(graph: HTMLElement & { _fullLayout?: { _uid?: string } }): void {
  const uid = graph._fullLayout?._uid;
  if (uid) throttle.clear(uid + hoverConstants.HOVERID);
}

export default Plotly;
