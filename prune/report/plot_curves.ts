// Plots over the steps: loss, share removed, Lagrange multipliers, error on the dev set.

import {
  axis,
  CURVE_COLOURS,
  legendStyle,
  on,
  type Option,
  type Panel,
  picture,
  stepAxis,
  WIDTH,
} from "./plot_style.ts";
import type { PruneReport, ReportEvaluation } from "./report.ts";
import { QUANTITY_WORDS } from "./summary.ts";

/** Largest number of points of a curve. */
const POINTS = 600;

type Points = readonly (readonly [number, number])[];

/** Loss of pruning and fine-tuning: every step (faint), the running mean, and the loss on the dev set. */
export function lossOption({ pruning, finetuning }: PruneReport): Option | null {
  const phases = [
    { title: "Pruning", ...pruning, evaluations: [] as readonly ReportEvaluation[] },
    { title: "Fine-tuning", ...finetuning },
  ].filter(({ steps }) => steps.length > 0);
  if (phases.length === 0) return null;
  const panels = phases.map(({ title, steps }, i) =>
    panelOf(i, phases.length, title, last(steps), axis("loss", 44, { scale: true }))
  );
  const series = phases.flatMap(({ steps, loss, evaluations }, i) => {
    const dev = evaluations.map(({ step, loss }): [number, number] => [step, loss]);
    return [
      line("each step", pointsOf(steps, loss, false), CURVE_COLOURS[0]!, i, { width: 1, opacity: 0.22 }),
      line("smoothed", pointsOf(steps, loss, true), CURVE_COLOURS[0]!, i, { width: 2.2 }),
      ...dev.length > 0 ? [marked("on dev", dev, CURVE_COLOURS[1]!, i)] : [],
    ];
  });
  const first = series.filter(({ name }, i) => series.findIndex((one) => one.name === name) === i);
  return picture(panels, series, { data: first.map(keyOf) });
}

/** Expected share removed, its target, and the share that surgery removed. */
export function removedOption({ pruning, constraints }: PruneReport): Option | null {
  if (pruning.steps.length === 0 || pruning.constraints.length === 0) return null;
  const percents = (values: readonly number[]) => values.map((share) => 100 * share);
  const end = last(pruning.steps);
  const series = pruning.constraints.flatMap(({ quantity, expected, target }, i) => {
    const [name, colour] = [QUANTITY_WORDS[quantity], CURVE_COLOURS[i]!];
    const achieved = constraints.find((one) => one.quantity === quantity);
    const dashed = { width: 1.6, type: [6, 4] };
    return [
      line(name, pointsOf(pruning.steps, percents(expected), false), colour, 0, { width: 2.4 }),
      line(`${name}, target`, pointsOf(pruning.steps, percents(target), false), colour, 0, dashed),
      ...achieved ? [after(`${name}, after surgery`, [[end, 100 * achieved.removed]], colour)] : [],
    ];
  });
  const top = 26 + 22 * pruning.constraints.length;
  // At the start the expected share removed may be slightly below 0.
  const below = pruning.constraints.some(({ expected }) => expected.some((share) => share < -0.02));
  const y = axis("share removed (%)", 44, below ? {} : { min: 0 });
  // A row of the legend per constraint.
  const legends = pruning.constraints.map(({ quantity }, i) => {
    const word = QUANTITY_WORDS[quantity];
    const curves = series.filter(({ name }) => name === word || (name as string).startsWith(`${word},`));
    return { ...legendStyle, top: 8 + 22 * i, left: 58, data: curves.map(keyOf) };
  });
  return { ...picture([panelOf(0, 1, "", end, y, top)], series), legend: legends };
}

/** The Lagrange multipliers λ₁ and λ₂ of every constraint. */
export function lambdaOption({ pruning: { steps, constraints } }: PruneReport): Option | null {
  if (steps.length === 0 || constraints.length === 0) return null;
  const names = [
    ["lambda1", "λ₁", "of the difference to the target"],
    ["lambda2", "λ₂", "of its square"],
  ] as const;
  const panels = names.map(([, name, of], i) =>
    panelOf(i, 2, `${name}, ${of}`, last(steps), axis(name, 44, { scale: true }))
  );
  const series = names.flatMap(([key], panel) =>
    constraints.map((constraint, i) =>
      line(
        QUANTITY_WORDS[constraint.quantity],
        pointsOf(steps, constraint[key], false),
        CURVE_COLOURS[i]!,
        panel,
        { width: 2 },
      )
    )
  );
  return picture(panels, series, { data: series.slice(0, constraints.length).map(keyOf) });
}

/** Error rates or accuracy on the dev set over the steps of fine-tuning. */
export function devOption({ finetuning: { evaluations } }: PruneReport): Option | null {
  const curves = ([["WER", "wer"], ["CER", "cer"], ["accuracy", "accuracy"]] as const).flatMap(
    ([name, key], i) => {
      const points = evaluations.flatMap(({ step, [key]: value }): [number, number][] =>
        value === undefined ? [] : [[step, 100 * value]]
      );
      return points.length < 2 ? [] : [{ name, points, colour: CURVE_COLOURS[i % 2]! }];
    },
  );
  if (curves.length === 0) return null;
  const end = last(evaluations.map(({ step }) => step));
  const only = curves.length === 1 ? curves[0]!.name : "error rate";
  const panel = panelOf(0, 1, "", end, axis(`${only} on dev (%)`, 44, { scale: true }), 40);
  const series = curves.map(({ name, points, colour }) => marked(name, points, colour, 0));
  return picture([panel], series, { data: series.map(keyOf) });
}

/** Height of these pictures in pixels. */
export const CURVE_HEIGHT = 340;

/** Position of a panel in a row of panels. */
function panelOf(i: number, of: number, title: string, end: number, y: Option, top = 74): Panel {
  const [side, gap] = [62, 84];
  const width = (WIDTH - side - 36 - gap * (of - 1)) / of;
  return {
    left: side + i * (width + gap),
    top,
    width,
    height: CURVE_HEIGHT - top - 56,
    title,
    x: stepAxis(end),
    y,
  };
}

function line(name: string, data: Points, colour: string, panel: number, style: Option): Option {
  return {
    type: "line",
    name,
    data,
    ...on(panel),
    symbol: "none",
    color: colour,
    itemStyle: { color: colour },
    lineStyle: { color: colour, ...style },
  };
}

function marked(name: string, data: Points, colour: string, panel: number): Option {
  const symbolSize = data.length > 30 ? 4 : 6;
  return { ...line(name, data, colour, panel, { width: 1.8 }), symbol: "circle", symbolSize };
}

function after(name: string, data: Points, colour: string): Option {
  const itemStyle = { color: colour, opacity: 1, borderColor: "#ffffff", borderWidth: 1 };
  return { type: "scatter", name, data, ...on(0), symbol: "diamond", symbolSize: 13, clip: false, itemStyle };
}

/** Legend entry of a series; by default echarts puts a circle on every line. */
function keyOf({ name, type, symbol, lineStyle }: Option): Option {
  const { type: dash, opacity = 1 } = (lineStyle ?? {}) as { type?: unknown; opacity?: number };
  const icon = type === "scatter"
    ? "path://M6 0L12 6L6 12L0 6z"
    : symbol === "circle"
    ? "path://M0 4H7A4 4 0 0 1 15 4H22V6H15A4 4 0 0 1 7 6H0z"
    : dash
    ? "path://M0 0H6V2H0zM8 0H14V2H8zM16 0H22V2H16z"
    : "path://M0 0H22V2H0z";
  // A line as thin and faint as in the plot would not be visible.
  return { name, icon, itemStyle: { opacity: opacity < 1 ? 0.4 : 1, borderWidth: 0 } };
}

/** Points of a curve, thinned out; if smoothed, each is the mean over a fortieth of the steps around it. */
function pointsOf(steps: readonly number[], values: readonly number[], smooth: boolean): Points {
  const reach = smooth ? Math.max(1, Math.round(steps.length / 80)) : 0;
  const stride = Math.ceil(steps.length / POINTS);
  const places = steps.map((_, i) => i).filter((i) => i % stride === 0 || i === steps.length - 1);
  return places.map((i) => {
    const near = values.slice(Math.max(0, i - reach), i + reach + 1);
    return [steps[i]!, near.reduce((sum, value) => sum + value, 0) / near.length];
  });
}

function last(steps: readonly number[]): number {
  return steps.at(-1) ?? 0;
}
