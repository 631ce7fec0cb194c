import { describe, expect, it } from "vitest";
import { cronOf, cronWords, usualOf } from "./cron";

describe("cron expressions in words", () => {
  it.each([
    ["30 2 * * *", "every day, at 02:30"],
    ["0 6,18 * * *", "every day, at 06:00 and 18:00"],
    ["0 */6 * * *", "every day, at 00:00, 06:00, 12:00 and 18:00"],
    ["15 6 * * 1-5", "Monday to Friday, at 06:15"],
    ["15 6 * * mon-FRI", "Monday to Friday, at 06:15"],
    ["0 7 * * 0", "Sunday, at 07:00"],
    ["0 7 * * 7", "Sunday, at 07:00"],
    ["0 7 * * 0,6", "Saturday and Sunday, at 07:00"],
    ["0 7 * * 0-6", "every day, at 07:00"],
    ["0 7 1,15 * *", "on day 1 and 15 of each month, at 07:00"],
    ["5 * * * *", "every hour, at minute 05"],
    ["5 8-17 * * 1-5", "Monday to Friday, every hour from 08:05 to 17:05"],
    ["*/15 * * * *", "every 15 minutes"],
    ["* * * * *", "every minute"],
    ["*/20 8-17 * * *", "every day, every 20 minutes from 08:00 to 17:40"],
  ])("says %s", (cron, words) => expect(cronWords(cron)).toBe(words));

  // Rather nothing than something wrong: both days given are a day or the other, steps that do not divide the hour begin anew.
  it.each([
    "0 7 1 * 1",
    "*/7 * * * *",
    "0 7 * 1 *",
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
