// The map of the kept units, as plain SVG: a row per group, a cell per unit.

import { FONT, INK, KEPT, MUTED, REMOVED, WIDTH } from "./plot_style.ts";
import { KIND_TITLES, layersOf, type LayerUnits } from "./plot_units.ts";
import type { PruneReport } from "./report.ts";

const LEFT = 66;
const RIGHT = 168;
const ROW = 17;
const CELL = 13;
/** Width of the narrowest cell in pixels; more units share cells. */
const NARROWEST = 1;
/** Cells at least this wide have a gap between them. */
const GAP_FROM = 5;

/** The map as SVG: kept units are dark, removed ones light, cells of several units in between. Null without units. */
export function unitsMap(report: PruneReport): string | null {
  const parts: string[] = [];
  const key = (x: number, colour: string, name: string) => [
    `<rect x="${x}" y="14" width="${CELL}" height="${CELL}" fill="${colour}"/>`,
    text(x + CELL + 7, 25, name),
  ];
  let y = 16;
  for (const [kind, title] of KIND_TITLES) {
    const groups = layersOf(report, kind);
    if (groups.length === 0) continue;
    y += 12;
    parts.push(text(LEFT, y, title, { "font-weight": "600", "font-size": "13" }));
    y += 12;
    for (const group of groups) {
      const middle = y + CELL / 2 + 4;
      const share = group.kept.length / group.of;
      const count = `${group.kept.length.toLocaleString("en")} of ${group.of.toLocaleString("en")}`;
      parts.push(
        text(LEFT - 10, middle, String(group.layer), { "text-anchor": "end", fill: MUTED }),
        cells(group, y),
        text(WIDTH - RIGHT + 12, middle, count),
        text(WIDTH - 14, middle, `${(100 * share).toFixed(0)} %`, { "text-anchor": "end", fill: MUTED }),
      );
      y += ROW;
    }
    y += 12;
  }
  if (parts.length === 0) return null;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}"` +
    ` font-family="${FONT}" font-size="12" fill="${INK}">`,
    `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`,
    ...key(WIDTH - RIGHT - 140, KEPT, "kept"),
    ...key(WIDTH - RIGHT - 74, REMOVED, "removed"),
    ...parts,
    `</svg>`,
  ].join("\n");
}

/** The cells of a group: a path per colour, in which neighbours without a gap are merged. */
function cells({ of, kept }: LayerUnits, y: number): string {
  const width = WIDTH - LEFT - RIGHT;
  const count = Math.min(of, Math.floor(width / NARROWEST));
  const gap = width / count >= GAP_FROM ? 1 : 0;
  const isKept = new Set(kept);
  const colours = Array.from({ length: count }, (_, cell) => {
    const [from, to] = [Math.floor(cell * of / count), Math.floor((cell + 1) * of / count)];
    let keptUnits = 0;
    for (let unit = from; unit < to; unit++) keptUnits += Number(isKept.has(unit));
    return mixed(keptUnits / (to - from));
  });
  const paths = new Map<string, string>();
  for (let cell = 0; cell < count;) {
    const colour = colours[cell]!;
    let end = cell + 1;
    while (gap === 0 && end < count && colours[end] === colour) end++;
    const [x, until] = [round(LEFT + cell * width / count), round(LEFT + end * width / count - gap)];
    paths.set(colour, `${paths.get(colour) ?? ""}M${x} ${y}H${until}v${CELL}H${x}z`);
    cell = end;
  }
  const drawn = [...paths].map(([colour, path]) => `<path fill="${colour}" d="${path}"/>`);
  return `<g shape-rendering="crispEdges">${drawn.join("")}</g>`;
}

/** Colour of a cell by its kept share. */
function mixed(share: number): string {
  const channel = (colour: string, i: number) => parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16);
  const parts = [0, 1, 2].map((i) =>
    Math.round(channel(REMOVED, i) * (1 - share) + channel(KEPT, i) * share)
  );
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function text(
  x: number,
  y: number,
  content: string,
  attributes: Readonly<Record<string, string>> = {},
): string {
  const more = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`).join("");
  return `<text x="${round(x)}" y="${round(y)}"${more}>${content}</text>`;
}

function round(n: number): number {
  return Number(n.toFixed(2));
}
