import { assertEquals, assertRejects } from "@std/assert";
import { ParquetFile, type Value } from "../../../data/parquet/file.ts";
import { withFolder } from "../folder.ts";

const folder = new URL("../../testdata/parquet/", import.meta.url);
const pathOf = (name: string) => new URL(name, folder).pathname;
const expected = JSON.parse(Deno.readTextFileSync(new URL("expected.json", folder)));

const decoder = new TextDecoder();
const hexOf = (value: Value) => value instanceof Uint8Array ? value.toHex() : null;

/** A value as the JSON of pyarrow has it. */
function plain(value: Value): unknown {
  if (value instanceof Uint8Array) return decoder.decode(value);
  return typeof value === "bigint" ? Number(value) : value;
}

async function all(file: ParquetFile, ...path: string[]): Promise<Value[]> {
  const groups = await Promise.all(file.groups.map((_, group) => file.column(path, group)));
  return groups.flat();
}

Deno.test("columns are what pyarrow wrote: both versions of pages, dictionaries, nulls, every compression", async () => {
  for (const codec of ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]) {
    using file = await ParquetFile.open(pathOf(`${codec}.parquet`));
    assertEquals(file.groups, [{ first: 0, rows: 10 }, { first: 10, rows: 10 }, { first: 20, rows: 3 }]);
    assertEquals(file.columns, ["audio", "text", "int64", "int32", "double", "float"]);
    assertEquals([file.fieldsOf("audio"), file.fieldsOf("text")], [["bytes", "path"], []]);
    for (const column of ["text", "int64", "int32", "double", "float"]) {
      assertEquals((await all(file, column)).map(plain), expected[column], `${codec} ${column}`);
    }
    assertEquals((await all(file, "audio", "bytes")).map(hexOf), expected.bytes, codec);
  }
});

Deno.test("a row is read alone, in any order", async () => {
  using file = await ParquetFile.open(pathOf("zstd.parquet"));
  for (const row of [22, 0, 5, 6, 7, 13, 12, 11, 19, 9, 10]) {
    assertEquals(hexOf(await file.value(["audio", "bytes"], row)), expected.bytes[row]);
  }
  assertEquals((await file.presence(["audio", "bytes"], 0))!.indexOf(false), 5);
  assertEquals(await file.presence(["audio", "bytes"], 1), null);
  await assertRejects(() => file.value(["audio", "bytes"], 23), SyntaxError, "there is no row 23");
});

Deno.test("what is not Parquet, or is not read, is one line that names file and column", async () => {
  using file = await ParquetFile.open(pathOf("delta.parquet"));
  const error = await assertRejects(() => file.column(["text"], 0), SyntaxError);
  assertEquals(
    error.message,
    `Cannot read ${pathOf("delta.parquet")}, column text, as a Parquet file must be valid: ` +
      "encoding DELTA_BYTE_ARRAY is not read",
  );
  await assertRejects(() => file.column(["x"], 0), SyntaxError, "column x, as a Parquet file must be valid");
  await withFolder({ "empty.parquet": "", "text.parquet": "no Parquet file" }, async (dir) => {
    for (const name of ["empty", "text"]) {
      await assertRejects(
        () => ParquetFile.open(`${dir}/${name}.parquet`),
        SyntaxError,
        `Cannot read ${dir}/${name}`,
      );
    }
  });
});
