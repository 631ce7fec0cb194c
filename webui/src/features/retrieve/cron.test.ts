import { afterEach, describe, expect, it } from "vitest";
import { i18n } from "../../shared/language/i18n";
import { cronOf, cronWords, usualOf } from "./cron";

describe("cron expressions in words", () => {
  afterEach(() => (i18n.global.locale.value = "en"));

  it.each([
    ["30 2 * * *", "At 02:30, every day", "Um 02:30, jeden Tag"],
    ["0 6,18 * * *", "At 06:00 and 18:00, every day", "Um 06:00 und 18:00, jeden Tag"],
    ["15 6 * * 1-5", "At 06:15, Monday through Friday", "Um 06:15, Montag bis Freitag"],
    ["15 6 * * mon-FRI", "At 06:15, Monday through Friday", "Um 06:15, Montag bis Freitag"],
    ["0 7 * * 0", "At 07:00, only on Sunday", "Um 07:00, nur jeden Sonntag"],
    ["0 7 * * 7", "At 07:00, only on Sunday", "Um 07:00, nur jeden Sonntag"],
    [
      "0 7 1,15 * *",
      "At 07:00, on day 1 and 15 of the month",
      "Um 07:00, an Tag 1 und 15 des Monats",
    ],
    ["0 7 * 1 *", "At 07:00, every day, only in January", "Um 07:00, jeden Tag, nur im Januar"],
    ["0 7 * JAN *", "At 07:00, every day, only in January", "Um 07:00, jeden Tag, nur im Januar"],
    ["*/15 * * * *", "Every 15 minutes", "Alle 15 Minuten"],
    ["* * * * *", "Every minute", "Jede Minute"],
  ])("says %s", (cron, english, german) => {
    expect(cronWords(cron)).toBe(english);
    i18n.global.locale.value = "de";
    expect(cronWords(cron)).toBe(german);
  });

  // Rather nothing than something wrong: both days given are a day or the other, steps that do not divide the hour begin anew.
  it.each([
    "0 7 1 * 1",
    "*/7 * * * *",
    "*/7 9-17 * * *",
    "0 */5 * * *",
    "0 7 * 13 *",
    "0 7 * * foo",
    "0 7 0 * *",
    "0 7 L * *",
    "0 7 * * 1#2",
    "5/10 * * * *",
    "0 25 * * *",
    "60 1 * * *",
    "0 7 * *",
    "x",
    "",
    "0 7 * * * *",
    "17-8 * * * *",
    "*/0 * * * *",
  ])("leaves %s", (cron) => expect(cronWords(cron)).toBeNull());
});

it.each([
  ["30 2 * * *", { often: "daily", time: "02:30", weekday: 1 }],
  ["0 6 * * 1-5", { often: "weekdays", time: "06:00", weekday: 1 }],
  ["0 6 * * 7", { often: "weekly", time: "06:00", weekday: 7 }],
  ["0 6 * * 3", { often: "weekly", time: "06:00", weekday: 3 }],
  ["5 * * * *", { often: "hourly", time: "00:05", weekday: 1 }],
])("knows %s as a usual choice and back", (cron, usual) => {
  expect(usualOf(cron)).toEqual(usual);
  expect(cronOf(usualOf(cron))).toBe(cron);
});

it("takes 0 for Sunday, too", () => expect(usualOf("0 6 * * 0").weekday).toBe(7));

it.each(["5 * * * 1", "*/5 * * * *", "30 2 1 * *", "61 2 * * *", "0 24 * * *", "nonsense"])(
  "takes %s as one by hand",
  (cron) => {
    expect(usualOf(cron).often).toBe("own");
  },
);
