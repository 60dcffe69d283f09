// How the plots of a report look: colours that the colour-blind can tell apart, axes, panels.

/** An option of echarts, or a part of it. */
export type Option = Readonly<Record<string, unknown>>;

/** Width of every plot in pixels. */
export const WIDTH = 900;

/** Family of the font that PNG files are drawn with, and what a browser without it takes. */
export const FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";

/** Colour of text. */
export const INK = "#1f2933";
/** Colour of text that stands back. */
export const MUTED = "#5b6770";
/** Colour of lines that guide the eye. */
export const RULE = "#e3e8ec";
/** Colour of a model. */
export const MODEL_COLOURS: Readonly<Record<string, string>> = {
  "dense": "#8d99a3",
  "pruned": "#de8f05",
  "fine-tuned": "#0173b2",
};
/** Colours of curves, in their order. */
export const CURVE_COLOURS: readonly string[] = ["#0173b2", "#de8f05", "#029e73", "#cc78bc"];
/** Colour of units that are left. */
export const KEPT = "#0b4f7d";
/** Colour of units that are gone. */
export const REMOVED = "#d3dee7";

/** A plot within a plot. */
export interface Panel {
  /** Pixels from the left of the picture to its axis. */
  readonly left: number;
  /** Pixels from the top. */
  readonly top: number;
  /** Pixels between its sides. */
  readonly width: number;
  /** Pixels between top and bottom. */
  readonly height: number;
  /** What stands above it. */
  readonly title: string;
  /** More of its horizontal axis. */
  readonly x: Option;
  /** More of its vertical axis. */
  readonly y: Option;
}

/** An axis of numbers or names with its title. */
export function axis(name: string, gap: number, more: Option = {}): Option {
  return {
    type: "value",
    name,
    nameLocation: "middle",
    nameGap: gap,
    nameTextStyle: { color: MUTED, fontSize: 12 },
    axisLabel: { color: MUTED, fontSize: 11 },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: RULE } },
    ...more,
  };
}

/** An axis of steps. @param last The last one. */
export function stepAxis(last: number): Option {
  const axisLabel = { color: MUTED, fontSize: 11, formatter: (step: number) => step.toLocaleString("en") };
  return axis("step", 28, {
    min: 0,
    max: last,
    // The last step has a label where it is as round as the others.
    axisLabel: { ...axisLabel, hideOverlap: true, showMaxLabel: last % 100 === 0 },
    axisLine: { show: true, onZero: false, lineStyle: { color: "#b4bec6" } },
    splitLine: { show: false },
  });
}

/** How a legend looks, without its place. */
export const legendStyle: Option = {
  itemWidth: 22,
  itemHeight: 10,
  itemGap: 18,
  selectedMode: false,
  textStyle: { color: INK, fontSize: 12 },
};

/** The option of a picture of panels; a series names its panel by `xAxisIndex` and `yAxisIndex`. */
export function picture(panels: readonly Panel[], series: readonly Option[], legend?: Option): Option {
  return {
    animation: false,
    backgroundColor: "#ffffff",
    textStyle: { fontFamily: FONT, color: INK },
    ...legend && {
      legend: { ...legendStyle, top: 8, right: 20, ...legend },
    },
    title: panels.map(({ left, top, title }) => ({
      text: title,
      left,
      top: top - 36,
      padding: 0,
      textStyle: { fontSize: 13, fontWeight: 600, color: INK },
    })),
    grid: panels.map(({ left, top, width, height }) => ({
      left,
      top,
      width,
      height,
      containLabel: false,
      outerBoundsMode: "none",
    })),
    xAxis: panels.map(({ x }, gridIndex) => ({ gridIndex, ...x })),
    yAxis: panels.map(({ y }, gridIndex) => ({ gridIndex, ...y })),
    series: series.map((one) => ({ silent: true, animation: false, ...one })),
  };
}

/** Where the series of a panel go. */
export function on(panel: number): Option {
  return { xAxisIndex: panel, yAxisIndex: panel };
}
