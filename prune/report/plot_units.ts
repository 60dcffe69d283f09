// Kept and removed units of each layer, as stacked bars with counts.

import { axis, INK, KEPT, MUTED, on, type Option, picture, REMOVED } from "./plot_style.ts";
import type { UnitKind } from "../groups.ts";
import type { PruneReport } from "./report.ts";
import type { RecordedUnits } from "../record.ts";

/** Units of a layer. */
export interface LayerUnits extends RecordedUnits {
  /** Index of the layer, from 0. */
  readonly layer: number;
}

/** Kinds of units, with the titles of panel and axis. */
export const KIND_TITLES: readonly (readonly [UnitKind, string, string])[] = [
  ["conv", "Convolution channels", "convolution"],
  ["heads", "Attention heads", "Transformer layer"],
  ["ffn", "Feed-forward units", "Transformer layer"],
];

/** Units of a kind, by layer. */
export function layersOf({ units }: PruneReport, kind: UnitKind): LayerUnits[] {
  return Object.entries(units)
    .filter(([name]) => name.startsWith(`${kind}.`))
    .map(([name, { of, kept }]) => ({ layer: Number(name.slice(kind.length + 1)), of, kept }))
    .sort((a, b) => a.layer - b.layer);
}

/** Height of the picture in pixels. */
export const UNITS_HEIGHT = 572;

const PLACES = {
  conv: { left: 66, top: 84, width: 280, height: 158 },
  heads: { left: 420, top: 84, width: 456, height: 158 },
  ffn: { left: 66, top: 342, width: 810, height: 168 },
};

/** Kept and removed units of every layer. */
export function unitsOption(report: PruneReport): Option | null {
  const kinds = KIND_TITLES.map(([kind, title, layers]) => ({
    kind,
    title,
    layers,
    groups: layersOf(report, kind),
  })).filter(({ groups }) => groups.length > 0);
  if (kinds.length === 0) return null;
  const panels = kinds.map(({ kind, title, layers, groups }) => ({
    ...PLACES[kind],
    title,
    x: axis(layers, 26, {
      type: "category",
      data: groups.map(({ layer }) => String(layer)),
      axisLabel: { color: MUTED, fontSize: 11, interval: groups.length > 16 && kind !== "ffn" ? 1 : 0 },
    }),
    y: axis(kind === "heads" ? "heads" : kind === "ffn" ? "units" : "channels", kind === "heads" ? 30 : 44, {
      ...wholeScale(Math.max(...groups.map(({ of }) => of))),
    }),
  }));
  const series = kinds.flatMap(({ groups }, panel) => stackedBars(groups, panel));
  return picture(panels, series, { data: ["kept", "removed"], top: 10 });
}

/** The series of a panel: kept units, and removed ones on top of them. */
function stackedBars(groups: readonly LayerUnits[], panel: number): Option[] {
  const bar = (name: string, color: string, data: readonly number[]) => ({
    type: "bar",
    stack: `units ${panel}`,
    name,
    ...on(panel),
    data,
    barMaxWidth: 42,
    barCategoryGap: "28%",
    color,
    itemStyle: { color },
  });
  return [
    bar("kept", KEPT, groups.map(({ kept }) => kept.length)),
    {
      ...bar("removed", REMOVED, groups.map(({ of, kept }) => of - kept.length)),
      // The count is above the whole bar, as it does not fit into a short part.
      label: {
        show: true,
        position: "top",
        distance: 4,
        color: INK,
        fontSize: groups.length > 16 ? 10 : 11,
        formatter: ({ dataIndex }: { dataIndex: number }) =>
          groups[dataIndex]!.kept.length.toLocaleString("en"),
      },
    },
  ];
}

/** A scale up to the largest count, in equal intervals of whole units. */
function wholeScale(max: number): Option {
  const parts = [4, 3, 5, 2].find((parts) => max % parts === 0) ?? 1;
  return { min: 0, max, interval: max / parts };
}
