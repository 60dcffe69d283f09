/**
 * Pictures of the README; its plot of error is made by bench/results.ts.
 *
 *     deno run -A bench/pictures.ts        draws the speed of docs/performance.md
 *     deno run -A bench/pictures.ts RUN    and takes a screenshot of the report of this `prune` run
 *
 * The screenshot needs Chromium, or the program that CHROMIUM names.
 *
 * @module
 */
import { axis, CURVE_COLOURS, type Option, picture } from "../prune/report/plot_style.ts";
import { drawSvg } from "../prune/report/draw_svg.ts";

const root = new URL("../", import.meta.url);
const PICTURES = new URL("docs/pictures/", root);

/** How many times faster than the fastest WebGPU peer, from the table of docs/performance.md. */
function speed(performance: string): Option {
  const table = performance.slice(
    performance.indexOf("<!-- bench -->"),
    performance.indexOf("<!-- end of bench -->"),
  );
  const [head, ...lines] = table.split("\n").map((line) => line.split("|").map((cell) => cell.trim()))
    .filter((cells) => cells.length > 1);
  const ratio = head!.indexOf("ratio");
  const rows = lines.filter((cells) => Number(cells[ratio]) > 0)
    .map((cells) => [cells[1]!, Number(cells[ratio])] as const).reverse();
  const panel = {
    left: 260,
    top: 60,
    width: 600,
    height: 22 * rows.length,
    title: "Speed relative to the fastest of jax-js and tfjs, same adapter",
    x: axis("times as fast", 28, { min: 0 }),
    y: axis("", 0, { type: "category", data: rows.map(([name]) => name), axisLabel: { fontSize: 11 } }),
  };
  const bars = {
    type: "bar",
    data: rows.map(([, ratio]) => ratio),
    itemStyle: { color: CURVE_COLOURS[0] },
    barWidth: 12,
    label: { show: true, position: "right", fontSize: 11, formatter: "{c}" },
  };
  return picture([panel], [bars]);
}

/** A screenshot of the top of a report. */
async function screenshot(html: string, png: string): Promise<void> {
  const browser = Deno.env.get("CHROMIUM") ?? "chromium";
  const { success, stderr } = await new Deno.Command(browser, {
    args: [
      "--headless",
      "--no-sandbox",
      "--hide-scrollbars",
      "--force-device-scale-factor=1",
      "--window-size=1000,1250",
      `--screenshot=${png}`,
      `file://${await Deno.realPath(html)}`,
    ],
  }).output();
  if (!success) throw new Error(`Cannot take a screenshot: ${new TextDecoder().decode(stderr)}`);
}

if (import.meta.main) {
  const [run] = Deno.args;
  if (run !== undefined) {
    await screenshot(`${run}/report.html`, decodeURIComponent(new URL("report.png", PICTURES).pathname));
  }
  const performance = await Deno.readTextFile(new URL("docs/performance.md", root));
  await Deno.writeTextFile(new URL("speed.svg", PICTURES), await drawSvg("speed", 420, speed(performance)));
}
