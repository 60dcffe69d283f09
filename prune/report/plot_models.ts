// Comparison of the models: error with its confidence interval, and parameters, MACs and time as shares of the dense model.

import { INK, MODEL_COLOURS, MUTED, on, type Option, type Panel, picture } from "./plot_style.ts";
import type { PruneReport, ReportModel } from "./report.ts";
import { percent, scaled } from "./summary.ts";

/** A panel with a bar per model. */
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

/** Height of the picture in pixels. */
export function modelsHeight(models: number): number {
  return 62 + 34 * models;
}

/** Bars of error, parameters, MACs and time; a value that was not measured has no bar. */
export function modelsOption(report: PruneReport): Option | null {
  const shown = allBars(report).filter(({ bars }) => bars.some((bar) => bar));
  if (shown.length === 0) return null;
  const names = report.models.map(({ name }) => name);
  const panels = shown.map((bars, i) => panelOf(bars, i, names));
  return picture(panels, shown.flatMap((bars, panel) => seriesOf(bars, panel, names)));
}

/** The bars of all panels; none without the dense model. */
function allBars({ models, task }: PruneReport): Bars[] {
  const dense = models.find(({ name }) => name === "dense");
  if (!dense) return [];
  const [rate, key] = task === "asr"
    ? ["word error rate", "wer"] as const
    : ["accuracy", "accuracy"] as const;
  const share = (
    title: string,
    of: (model: ReportModel) => number | null,
    show: (value: number) => string,
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
  return [
    {
      title: rate,
      bars: models.map(({ [key]: interval }) =>
        interval && { ...interval, text: percent(interval.value, 2) }
      ),
    },
    share("parameters", ({ parameters }) => parameters, scaled),
    share("MACs, 1 s of audio", (model) => model.macs_per_second, scaled),
    share(
      "time, 1 s of audio",
      (model) => model.seconds_per_second,
      (seconds) => `${(1000 * seconds).toPrecision(3)} ms`,
    ),
  ];
}

/** The panel of some bars; only the first has the names of the models. */
function panelOf({ title, bars }: Bars, i: number, names: readonly string[]): Panel {
  return {
    left: LEFT + i * PITCH,
    top: 48,
    width: 104,
    height: 34 * names.length,
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
  };
}

/** The series of a panel: bars, and their confidence intervals with text. */
function seriesOf({ bars }: Bars, panel: number, names: readonly string[]): Option[] {
  return [
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
  ];
}

/** Argument of a custom series of echarts. */
interface Place {
  value(dimension: number): number;
  coord(data: readonly number[]): [number, number];
}

/** The confidence interval of a bar, if it has one, and its text. */
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
