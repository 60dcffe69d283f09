// Pareto plots of a sweep: error against what is kept of MACs, parameters and measured time.

import { drawSvg } from "../report/draw_svg.ts";
import { axis, CURVE_COLOURS, MUTED, on, type Option, picture } from "../report/plot_style.ts";
import type { ReportPlot } from "../report/plots.ts";
import { errorOf, type Group, type Point } from "./groups.ts";
import type { SweepRecord } from "./record.ts";
import { errorName } from "./table.ts";

const HEIGHT = 430;
const CONTROL = "#8d99a3";
const SYMBOLS = ["circle", "diamond", "triangle", "rect", "roundRect", "pin"];

/** A line of a plot: the groups of a method with the same options. */
interface Line {
  readonly name: string;
  readonly groups: readonly Group[];
}

type Axis = "macs" | "parameters" | "time";

const AXES: Readonly<Record<Axis, { readonly title: string; readonly x: string }>> = {
  macs: { title: "Error against computation", x: "MACs kept, %" },
  parameters: { title: "Error against size", x: "parameters kept, %" },
  time: { title: "Error against measured time", x: "time relative to the dense model, %" },
};

/**
 * Draws the plots of a sweep; one without data is omitted. The same record gives the same pictures.
 *
 * @param record The sweep.
 * @param groups Its groups.
 * @throws {Error} If the npm package echarts cannot be loaded; one line.
 */
export async function sweepPlots(record: SweepRecord, groups: readonly Group[]): Promise<ReportPlot[]> {
  const plots: ReportPlot[] = [];
  for (const [name, { title, x }] of Object.entries(AXES) as [Axis, typeof AXES[Axis]][]) {
    const option = paretoOption(record, groups, name, x);
    if (!option) continue;
    const caption = "Lines: means over seeds; bars: smallest and largest; faint points: single runs. " +
      "Dashed: the dense model" + (groups.some(isControl) ? ", and the control, trained on as long" : "") +
      ".";
    plots.push({ name, title, caption, svg: await drawSvg(name, HEIGHT, option) });
  }
  return plots;
}

const isControl = ({ method }: Group) => method === "none";

/** Error against one cost; null without data. */
export function paretoOption(
  record: SweepRecord,
  groups: readonly Group[],
  key: Axis,
  xName: string,
): Option | null {
  const { common } = record;
  const points = groups.flatMap(({ runs }) => runs).filter((run) => run[key] !== null);
  if (!common || points.length === 0) return null;
  const dense = 100 * errorOf(common.dense);
  const left = 10 * Math.floor(Math.min(...points.map((point) => 10 * point[key]!)) - 0.2);
  const right = Math.max(100, 10 * Math.ceil(Math.max(...points.map((point) => 10 * point[key]!))));
  const lines = linesOf(groups.filter((group) => !isControl(group)));
  const controls = linesOf(groups.filter(isControl));
  const range = [Math.max(0, left), right] as const;
  const series = [
    level("dense", dense, range, MUTED),
    ...controls.map(({ name, groups: [group] }) => level(name, 100 * group!.error.mean, range, CONTROL)),
    ...controls.flatMap((line) => pointsOf(line, key, CONTROL)),
    ...lines.flatMap((line, i) => lineOf(line, key, i)),
  ];
  const title = `${
    errorName(record) === "WER" ? "Word error rate" : "Wrong intents"
  } on ${common.data.test.subset}, %`;
  const panel = {
    left: 70,
    top: 72,
    width: 800,
    height: 290,
    title,
    x: axis(xName, 30, { min: range[0], max: range[1], inverse: true }),
    y: axis("", 40, { scale: true }),
  };
  const data = ["dense", ...[...controls, ...lines].map(({ name }) => name)];
  return picture([panel], series, { data, itemGap: 28 });
}

/** The groups in lines, by method and options. */
function linesOf(groups: readonly Group[]): Line[] {
  const lines = new Map<string, Group[]>();
  for (const group of groups) {
    const options = Object.entries(group.options).map(([name, value]) => ` ${name} ${value}`);
    const name = [isControl(group) ? "control" : group.method, ...options].join("");
    lines.set(name, [...lines.get(name) ?? [], group]);
  }
  return [...lines].map(([name, groups]) => ({ name, groups }));
}

/** A horizontal line. */
function level(name: string, error: number, range: readonly [number, number], color: string): Option {
  return {
    type: "line",
    name,
    ...on(0),
    data: range.map((x) => [x, error]),
    symbol: "none",
    lineStyle: { color, width: 1.5, type: name === "dense" ? "dashed" : "dotted" },
    itemStyle: { color },
  };
}

/** Means of a method with its bars and points. */
function lineOf({ name, groups }: Line, key: Axis, index: number): Option[] {
  const color = CURVE_COLOURS[index % CURVE_COLOURS.length]!;
  const shown = groups.filter(({ shares }) => shares[key] !== null);
  const means = shown.map(({ shares, error }) => [100 * shares[key]!, 100 * error.mean]);
  const line = {
    type: "line",
    name,
    ...on(0),
    z: 4,
    data: means.toSorted((a, b) => a[0]! - b[0]!),
    symbol: SYMBOLS[index % SYMBOLS.length],
    symbolSize: 9,
    itemStyle: { color },
    lineStyle: { color, width: 2 },
  };
  return [...pointsOf({ name, groups }, key, color), line];
}

/** Runs as faint points, and a bar from the smallest to the largest error of each group. */
function pointsOf({ groups }: Line, key: Axis, color: string): Option[] {
  const shown = groups.filter(({ shares }) => shares[key] !== null);
  const of = (run: Point) => run[key] === null ? [] : [[100 * run[key], 100 * run.error]];
  const dots = {
    type: "scatter",
    ...on(0),
    data: shown.flatMap(({ runs }) => runs.flatMap(of)),
    symbolSize: 5,
    itemStyle: { color, opacity: 0.45 },
  };
  const bars = shown.filter(({ runs }) => runs.length > 1).map(({ shares, error: { low, high } }) => ({
    type: "line",
    ...on(0),
    data: [[100 * shares[key]!, 100 * low], [100 * shares[key]!, 100 * high]],
    symbol: "none",
    lineStyle: { color, width: 1.5, opacity: 0.55 },
  }));
  return [dots, ...bars];
}
