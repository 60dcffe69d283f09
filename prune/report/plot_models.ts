// The models beside each other: error with its interval, and parameters, MACs and time as shares of the dense one.

import { INK, MODEL_COLOURS, MUTED, on, type Option, picture } from "./plot_style.ts";
import type { PruneReport, ReportModel } from "./report.ts";
import { percent, scaled } from "./summary.ts";

/** A bar per model. */
interface Bars {
  readonly title: string;
  readonly bars: readonly (Bar | null)[];
}

interface Bar {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly text: string;
}

const LEFT = 92;
const PITCH = 201;

/** Height of the picture of so many models. */
export function modelsHeight(models: number): number {
  return 62 + 34 * models;
}

/** Small bars of error, parameters, MACs and time; what was not measured has none. */
export function modelsOption({ models, task }: PruneReport): Option | null {
  const dense = models.find(({ name }) => name === "dense");
  if (!dense) return null;
  const [rate, key] = task === "asr"
    ? ["word error rate", "wer"] as const
    : ["accuracy", "accuracy"] as const;
  const share = (
    title: string,
    of: (model: ReportModel) => number | null,
    show: (n: number) => string,
  ): Bars => ({
    title,
    bars: models.map((model) => {
      const [value, whole] = [of(model), of(dense)];
      if (value === null || !whole) return null;
      const part = value / whole;
      const text = model === dense ? show(value) : `${show(value)} · ${percent(part)}`;
      return { value: part, low: part, high: part, text };
    }),
  });
  const all: Bars[] = [
    {
      title: rate,
      bars: models.map(({ [key]: found }) => found && { ...found, text: percent(found.value, 2) }),
    },
    share("parameters", ({ parameters }) => parameters, scaled),
    share("MACs, 1 s of audio", (model) => model.macs_per_second, scaled),
    share(
      "time, 1 s of audio",
      (model) => model.seconds_per_second,
      (seconds) => `${(1000 * seconds).toPrecision(3)} ms`,
    ),
  ];
  const shown = all.filter(({ bars }) => bars.some((bar) => bar));
  const names = models.map(({ name }) => name);
  const panels = shown.map(({ title, bars }, i) => ({
    left: LEFT + i * PITCH,
    top: 48,
    width: 104,
    height: 34 * models.length,
    title,
    x: { type: "value", show: false, min: 0, max: Math.max(...bars.map((bar) => bar?.high ?? 0)) || 1 },
    y: {
      type: "category",
      inverse: true,
      data: names,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: MUTED } },
      axisLabel: { show: i === 0, color: INK, fontSize: 12 },
    },
  }));
  const series = shown.flatMap(({ bars }, panel) => [
    {
      type: "bar",
      ...on(panel),
      barWidth: 18,
      data: bars.map((bar, i) => ({
        value: bar?.value ?? null,
        itemStyle: { color: MODEL_COLOURS[names[i]!] },
      })),
    },
    {
      type: "custom",
      ...on(panel),
      z: 4,
      data: bars.flatMap((bar, i) => bar ? [[bar.low, i, bar.high]] : []),
      encode: { x: [0, 2], y: 1 },
      renderItem: (_: unknown, at: Place) => whisker(at, bars[at.value(1)]!.text),
    },
  ]);
  return picture(panels, series);
}

/** What echarts hands to a custom series. */
interface Place {
  value(dimension: number): number;
  coord(data: readonly number[]): [number, number];
}

/** The interval of a bar, if it has one, and its number beside it. */
function whisker(at: Place, text: string): Option {
  const [low, y] = at.coord([at.value(0), at.value(1)]);
  const [high] = at.coord([at.value(2), at.value(1)]);
  const stroke = (x1: number, y1: number, x2: number, y2: number) => ({
    type: "line",
    shape: { x1, y1, x2, y2 },
    style: { stroke: INK, lineWidth: 1.4 },
  });
  const lines = [
    stroke(low, y, high, y),
    stroke(low, y - 4, low, y + 4),
    stroke(high, y - 4, high, y + 4),
  ];
  return {
    type: "group",
    children: [
      ...high > low ? lines : [],
      {
        type: "text",
        style: { text, x: high + 7, y, fill: INK, fontSize: 11.5, verticalAlign: "middle" },
      },
    ],
  };
}
