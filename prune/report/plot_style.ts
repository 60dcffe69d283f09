// Style of the plots: colours that colour-blind readers can distinguish, axes, panels.

/** An option of echarts, or a part of it. */
export type Option = Readonly<Record<string, unknown>>;

/** Width of every plot in pixels. */
export const WIDTH = 900;

/** Font of PNG files, with fallbacks for browsers. */
export const FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif";

/** Colour of text. */
export const INK = "#1f2933";
/** Colour of secondary text. */
export const MUTED = "#5b6770";
/** Colour of grid lines. */
export const RULE = "#e3e8ec";
/** Colours of models by name. */
export const MODEL_COLOURS: Readonly<Record<string, string>> = {
  "dense": "#8d99a3",
  "pruned": "#de8f05",
  "fine-tuned": "#0173b2",
};
/** Colours of curves, in order; as many as there are methods. */
export const CURVE_COLOURS: readonly string[] = [
  "#0173b2",
  "#de8f05",
  "#029e73",
  "#cc78bc",
  "#d55e00",
  "#56b4e9",
];
/** Colour of kept units. */
export const KEPT = "#0b4f7d";
/** Colour of removed units. */
export const REMOVED = "#d3dee7";

/** A panel of a picture. */
export interface Panel {
  /** Pixels from the left of the picture to the axis. */
  readonly left: number;
  /** Pixels from the top. */
  readonly top: number;
  /** Width of the plot area in pixels. */
  readonly width: number;
  /** Height of the plot area in pixels. */
  readonly height: number;
  /** Title above it. */
  readonly title: string;
  /** Options of its horizontal axis. */
  readonly x: Option;
  /** Options of its vertical axis. */
  readonly y: Option;
}

/** An axis of values or names with its title. */
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
    // The last step has a label if it is a round number.
    axisLabel: { ...axisLabel, hideOverlap: true, showMaxLabel: last % 100 === 0 },
    axisLine: { show: true, onZero: false, lineStyle: { color: "#b4bec6" } },
    splitLine: { show: false },
  });
}

/** Style of a legend, without its position. */
export const legendStyle: Option = {
  itemWidth: 22,
  itemHeight: 10,
  itemGap: 18,
  selectedMode: false,
  textStyle: { color: INK, fontSize: 12 },
};

/** Options of a picture of panels; a series refers to its panel by `xAxisIndex` and `yAxisIndex`. */
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

/** Axes of a series in a panel. */
export function on(panel: number): Option {
  return { xAxisIndex: panel, yAxisIndex: panel };
}
