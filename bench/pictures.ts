/**
 * The pictures of the README, drawn from measured results:
 *
 *     deno run -A bench/pictures.ts           draws docs/pictures/ from docs/results/ and docs/performance.md
 *     deno run -A bench/pictures.ts RUN…      first takes the results of these `prune` runs, and a screenshot of the first
 *                                             one's report
 *
 * The screenshot needs Chromium, or the program that CHROMIUM names.
 *
 * @module
 */
import { axis, CURVE_COLOURS, type Option, picture } from "../prune/report/plot_style.ts";
import { drawSvg } from "../prune/report/draw_svg.ts";
import type { PruneReport } from "../prune/report/report.ts";

const root = new URL("../", import.meta.url);
const RESULTS = new URL("docs/results/pareto.json", root);
const PICTURES = new URL("docs/pictures/", root);
const METHODS = ["mac", "transformer-only", "uniform"];

/** One pruned and fine-tuned model: its word error rate with the 95 % interval, and the share of MACs it keeps. */
interface Point {
  readonly method: string;
  readonly target: number;
  readonly wer: readonly [value: number, low: number, high: number];
  readonly macs: number;
  readonly time: number;
}

/** The runs behind the Pareto plot. */
interface Results {
  readonly model: string;
  readonly corpus: string;
  readonly adapter: string;
  readonly seed: number;
  readonly commands: readonly string[];
  readonly dense: readonly [value: number, low: number, high: number];
  readonly points: readonly Point[];
}

/** Takes the results of runs from their folders. */
async function collect(folders: readonly string[]): Promise<Results> {
  const reports = await Promise.all(
    folders.map(async (path) => JSON.parse(await Deno.readTextFile(`${path}/report.json`)) as PruneReport),
  );
  const rate = ({ wer }: PruneReport["models"][number]) => [wer!.value, wer!.low, wer!.high] as const;
  const [first] = reports as [PruneReport];
  return {
    model: "assets/commands-tiny",
    corpus: "300 test sentences of the spoken commands",
    adapter: first.adapter,
    seed: first.seed,
    commands: reports.map(({ command }) => command.replace(/ --(out|model|recipe) (\/\S*\/)?/g, " --$1 ")),
    dense: rate(first.models[0]!),
    points: reports.map(({ method, constraints, models }) => {
      const [dense, compact] = [models[0]!, models.at(-1)!];
      return {
        method,
        target: constraints[0]!.target_removed,
        wer: rate(compact),
        macs: compact.macs_per_second / dense.macs_per_second,
        time: compact.seconds_per_second! / dense.seconds_per_second!,
      };
    }),
  };
}

/** Word error rate against the share of MACs kept, one line a method, with 95 % intervals. */
function pareto({ dense, points }: Results): Option {
  const series = METHODS.flatMap((name, i) => {
    const own = points.filter(({ method }) => method === name).sort((a, b) => a.macs - b.macs);
    const color = CURVE_COLOURS[i]!;
    const bar = ({ macs, wer: [, low, high] }: Point) => [[100 * macs, 100 * low], [100 * macs, 100 * high]];
    return [
      {
        type: "line",
        name,
        data: own.map(({ macs, wer: [value] }) => [100 * macs, 100 * value]),
        symbol: "circle",
        symbolSize: 8,
        itemStyle: { color },
        lineStyle: { color, width: 2 },
      },
      ...own.map((point) => ({
        type: "line",
        data: bar(point),
        symbol: "none",
        lineStyle: { color, width: 1, opacity: 0.6 },
      })),
    ];
  });
  const reference = {
    type: "line",
    name: "dense",
    data: [[20, 100 * dense[0]], [100, 100 * dense[0]]],
    symbol: "none",
    lineStyle: { color: "#5b6770", width: 1.5, type: "dashed" },
    itemStyle: { color: "#5b6770" },
  };
  const panel = {
    left: 70,
    top: 60,
    width: 800,
    height: 300,
    title: "Word error rate after pruning and fine-tuning, %",
    x: axis("multiply–accumulates kept, %", 30, { min: 20, max: 100, inverse: true }),
    y: axis("", 40, { min: 4, scale: true }),
  };
  return picture([panel], [reference, ...series], { data: ["dense", ...METHODS] });
}

/** How many times faster than the fastest WebGPU peer, from the table of docs/performance.md. */
function speed(performance: string): Option {
  const table = performance.slice(
    performance.indexOf("<!-- bench -->"),
    performance.indexOf("<!-- end of bench -->"),
  );
  const rows = table.split("\n").map((line) => line.split("|").map((cell) => cell.trim()))
    .filter((cells) => /^[a-z]\w+$/.test(cells[1] ?? "") && Number(cells[6]) > 0)
    .map((cells) => [cells[1]!, Number(cells[6])] as const).reverse();
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
  if (Deno.args.length > 0) {
    await Deno.writeTextFile(RESULTS, JSON.stringify(await collect(Deno.args), null, 2) + "\n");
    await screenshot(
      `${Deno.args[0]}/report.html`,
      decodeURIComponent(new URL("report.png", PICTURES).pathname),
    );
  }
  const results = JSON.parse(await Deno.readTextFile(RESULTS)) as Results;
  const performance = await Deno.readTextFile(new URL("docs/performance.md", root));
  await Deno.writeTextFile(new URL("pareto.svg", PICTURES), await drawSvg("pareto", 430, pareto(results)));
  await Deno.writeTextFile(new URL("speed.svg", PICTURES), await drawSvg("speed", 420, speed(performance)));
}
