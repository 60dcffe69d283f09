// Draws a chart of echarts as SVG.

import { type Option, WIDTH } from "./plot_style.ts";

/** The part of echarts that is used. */
interface Echarts {
  init(place: null, theme: null, options: Option): {
    setOption(option: Option): void;
    renderToSVGString(options: Option): string;
    dispose(): void;
  };
}

/**
 * Draws a chart as SVG, 900 pixels wide. The same options give the same text.
 *
 * @param name Prefix of the ids in the SVG, unique in a page.
 * @param height Height in pixels.
 * @param option Options of echarts.
 * @throws {Error} If the npm package echarts cannot be loaded; one line.
 */
export async function drawSvg(name: string, height: number, option: Option): Promise<string> {
  const echarts = await loadEcharts();
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  try {
    chart.setOption(option);
    // Ids and classes are numbered by chart in the process, and would collide in a page. Classes, style sheet and the other
    // attributes are only for interaction.
    return chart.renderToSVGString({ useViewBox: true })
      .replace(/\bzr\d+-/g, `${name}-`)
      .replace(/<style[^>]*>.*?<\/style>\s*/gs, "")
      .replace(/ (?:class|pointer-events|ecmeta_\w+)="[^"]*"/g, "");
  } finally {
    chart.dispose();
  }
}

async function loadEcharts(): Promise<Echarts> {
  try {
    const loaded: unknown = await import("npm:echarts@6.1.0");
    return loaded as Echarts;
  } catch (cause) {
    const [why] = (cause as Error).message.split("\n");
    throw new Error(`Cannot draw plots as the npm package echarts must load: ${why}`, { cause });
  }
}
