// Every figure of the README and of docs/ that was measured is in a table that is made from a record, or stands in
// docs/results/figures.json: with its place in a record under docs/results/, or as given (a setting, a bound, another's result).
import { assert, assertEquals } from "@std/assert";

const root = new URL("../", import.meta.url);
const read = (path: string) => Deno.readTextFile(new URL(path, root));

/** Figures in a document. */
interface Listed {
  readonly file: string;
  /** As the document has it. */
  readonly text: string;
  /** A file in docs/results/, and where each figure is in it, as `models.0.wer.value` or a quotient of two; null for one that is not of this record. */
  readonly record?: string;
  readonly values?: readonly (string | null)[];
  /** Why it is not a measurement of this program. */
  readonly given?: string;
}

/** A share, time, size, speed or difference. Whole seconds are settings or lengths of audio. */
const FIGURE =
  /\d[\d.,]*(?:(?: to | and )[+−]?\d[\d.,]*)?\s?(?:%|(?:µs|ms|min|minutes|points|times|kB|MB|GB|GFLOP\/s|TFLOP\/s)\b)|\d+\.\d+ s\b/g;

/** Documents that are made from records or declarations as a whole. */
const GENERATED = ["docs/results.md", "docs/cli.md"];

const listed: readonly Listed[] = JSON.parse(await read("docs/results/figures.json"));

/** The documents, by path. */
async function documents(): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL("docs", root)));
  const files = entries.filter(({ name }) => name.endsWith(".md")).map(({ name }) => `docs/${name}`);
  return ["README.md", ...files].filter((path) => !GENERATED.includes(path)).sort();
}

/** A document without what is between marks. */
function written(text: string): string {
  return text.replace(/<!-- ([\w ]+) -->.*?<!-- end of \1 -->/gs, "");
}

/** Figures of a document that stand nowhere. */
function unlisted(text: string, entries: readonly Listed[]): string[] {
  const rest = entries.reduce((rest, entry) => rest.replaceAll(entry.text, ""), written(text));
  return rest.match(FIGURE) ?? [];
}

/** Values of records are shares, seconds and bytes. */
const SCALES: Readonly<Record<string, number>> = {
  ...{ "%": 100, ms: 1e3, µs: 1e6, min: 1 / 60, minutes: 1 / 60, kB: 1e-3, MB: 1e-6, GB: 1e-9 },
};

/** Whether a figure is a value of a record, in its unit, rounded as it is shown. */
function shows(figure: string, value: number): boolean {
  const [number] = /\d[\d.,]*/.exec(figure)!;
  const shown = number.replace(/[.,]$/, "").replaceAll(",", "");
  const [, unit] = /([a-zµ%]+)\W*$/i.exec(figure) ?? [];
  const scale = SCALES[unit ?? ""] ?? 1;
  return (value * scale).toFixed(/\.(\d+)/.exec(shown)?.[1]?.length ?? 0) === shown;
}

/** A value of a record, or the quotient of two, as `a.b / c.d`. */
function valueAt(record: unknown, path: string): number {
  const [dividend, divisor] = path.split(" / ");
  if (divisor !== undefined) return valueAt(record, dividend!) / valueAt(record, divisor);
  const value = path.split(".").reduce(
    (at, key) => (at as Record<string, unknown> | undefined)?.[key],
    record,
  );
  assert(typeof value === "number", `${path} is not a number of the record`);
  return value;
}

Deno.test("every figure of README and docs is from a record, or stands in docs/results/figures.json", async () => {
  const missing: string[] = [];
  for (const file of await documents()) {
    const text = await read(file);
    const entries = listed.filter((entry) => entry.file === file);
    for (const { text: phrase } of entries) {
      assert(text.includes(phrase), `${file} no longer has: ${phrase}`);
    }
    missing.push(...unlisted(text, entries).map((figure) => `${file}: ${figure}`));
  }
  assertEquals(missing, []);
});

Deno.test("figures that name a record have its values", async () => {
  let compared = 0;
  for (const { file, text, record, values, given } of listed) {
    assert((record === undefined) !== (given === undefined), `${file}: ${text}`);
    if (record === undefined) continue;
    const json = JSON.parse(await read(`docs/results/${record}`));
    const figures = text.match(FIGURE)!;
    assertEquals(figures.length, values!.length, text);
    for (const [i, path] of values!.entries()) {
      if (path === null) continue;
      assert(shows(figures[i]!, valueAt(json, path)), `${file}: ${figures[i]} is not ${path} of ${record}`);
      compared++;
    }
  }
  assert(compared > 0);
});

Deno.test("a figure that stands nowhere is found, and one that is not the record's", () => {
  const text =
    "It takes 52 % of the time.\n<!-- table -->\n7 %\n<!-- end of table -->\nA wait takes 3 ms, 95 % of it idle.";
  assertEquals(unlisted(text, []), ["52 %", "3 ms", "95 %"]);
  assertEquals(unlisted(text, [{ file: "", text: "takes 3 ms, 95 %", given: "" }]), ["52 %"]);
  assert(shows("5.44 %", 0.054419) && !shows("5.45 %", 0.054419));
  assertEquals(valueAt({ a: [1, { b: 4 }] }, "a.0 / a.1.b"), 0.25);
  assert(
    shows("9.50 ms", 0.0095) && shows("1,802", 1802) && shows("334 kB", 333961) && !shows("9.5 ms", 0.0096),
  );
});
