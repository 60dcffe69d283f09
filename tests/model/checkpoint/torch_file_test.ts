import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { toFloat32, toInt32 } from "../../../model/checkpoint/safetensors.ts";
import { isTorchFile, parseTorchFile } from "../../../model/checkpoint/torch_file.ts";
import { readCheckpoint } from "../../../model/checkpoint/read.ts";
import { encodeCheckpoint } from "../../../model/checkpoint/write.ts";
import { memorySource, openSource } from "../../../files/byte_source.ts";
import { zipEntries } from "../../../model/checkpoint/zip_directory.ts";
import { full } from "../../full.ts";
import { testMutations } from "../../mutations.ts";
import { torchOf, zip } from "./hostile.ts";

const folder = new URL("../../testdata/torch/", import.meta.url);
const bytesOf = (name: string) => Deno.readFileSync(new URL(name, folder));
const fail = (rule: string, found: string): never => {
  throw new Error(`${rule}: ${found}`);
};
const parse = (name: string) => parseTorchFile(bytesOf(name), name);

for (const name of ["zip.bin", "legacy.bin", "protocol4.bin", "nested.bin"]) {
  Deno.test(`tensors of every type, shared, strided and empty: ${name}`, () => {
    const { tensors } = parse(name);
    const expected: Record<string, [number[], number[]]> = JSON.parse(
      Deno.readTextFileSync(new URL("expected.json", folder)),
    );
    assertEquals([...tensors.keys()], Object.keys(expected));
    for (const [key, [shape, values]] of Object.entries(expected)) {
      const entry = tensors.get(key)!;
      assertEquals(entry.shape, shape, key);
      const found = /^[iu]/.test(key) ? toInt32(entry) : toFloat32(entry);
      values.forEach((value, i) =>
        assertAlmostEquals(found[i]!, value, 1e-6 * Math.max(1, Math.abs(value)), key)
      );
    }
  });
}

Deno.test("contiguous tensors are views of the file", () => {
  const bytes = bytesOf("zip.bin");
  const { tensors } = parseTorchFile(bytes, "zip.bin");
  assertEquals(tensors.get("f32")!.data.buffer, bytes.buffer);
  assertEquals(tensors.get("view")!.data.buffer, bytes.buffer);
});

for (const name of ["zip.bin", "legacy.bin", "base.bin"]) {
  Deno.test(`${name} is the same in memory and read in ranges from disk`, () => {
    using file = openSource(decodeURIComponent(new URL(name, folder).pathname))!;
    assertEquals(parseTorchFile(file, name), parse(name));
  });
}

Deno.test("only the storages of the state_dict are read from a file", () => {
  const file = torchOf(
    { state_dict: { key: "0", size: 4 }, optimizer: { key: "1", size: 250_000 } },
  );
  let read = 0;
  const source = memorySource(file);
  const count = (bytes: Uint8Array) => {
    read += bytes.length;
    return bytes;
  };
  const { tensors } = parseTorchFile({
    ...source,
    read: (start, end) => count(source.read(start, end)),
    readAll: (ranges) => source.readAll(ranges).map(count),
  }, "x.ckpt");
  assertEquals(tensors.get("w0")!.data, file.slice(0, 16).fill(0));
  assert(read < 200_000 && file.length > 1_000_000, `${read} of ${file.length} bytes`);
});

Deno.test("other values than the state_dict are kept", () => {
  const { beside } = parse("nested.bin");
  assertEquals(
    beside.get("config"),
    new Map<string, unknown>([["encoder_num_heads", [1, 2]], ["none", null]]),
  );
});

Deno.test("code in a file is not run", async () => {
  assertEquals([...parse("harmful_beside.bin").tensors.keys()], ["a"]);
  const message =
    "Cannot read harmful.bin as a PyTorch file as it must hold a dictionary of tensors: it is a";
  assertThrows(() => parse("harmful.bin"), SyntaxError, message);
  assertThrows(() => parse("module.bin"), SyntaxError, "it is a torch.nn.modules.linear.Linear");
  assert(!await Deno.stat("harmed").then(() => true, () => false));
});

Deno.test("files of torch.save are recognised", () => {
  assert(isTorchFile(bytesOf("zip.bin")));
  assert(isTorchFile(bytesOf("legacy.bin")));
  assert(!isTorchFile(new TextEncoder().encode("version https://git-lfs.github.com/spec/v1")));
  assertThrows(() => parseTorchFile(new Uint8Array(3), "x.bin"), SyntaxError, "it is neither");
});

/** A pickle of one dictionary with a tensor of the given call. */
function pickle(...parts: (string | number[])[]): Uint8Array {
  const encoder = new TextEncoder();
  return Uint8Array.from(
    parts.flatMap((part) => typeof part === "string" ? [...encoder.encode(part)] : part),
  );
}

Deno.test("an invalid pickle is refused in one line", () => {
  const refused = (bytes: Uint8Array, message: string) =>
    assertThrows(() => parseTorchFile(bytes, "x.bin"), SyntaxError, message);
  const start = [0x80, 2];
  refused(pickle(start, "K\x01K\x02s."), "a pickle's stack must not be empty");
  refused(pickle(start, "K\x01K\x02K\x03s."), "may set items only of dictionaries");
  refused(pickle(start, "K\x01K\x02a."), "may append only to lists");
  refused(pickle(start, "h\x07."), "entry 7 is missing");
  refused(pickle(start, "t."), "lists begin with a mark");
  refused(pickle(start, "X", [255, 255, 255, 255], "."), "it is cut off");
  refused(pickle(start, [0xff]), "opcodes must be known: 0xff");
  refused(pickle(start, "K\x05."), "must start with its magic number");
});

for (const name of ["zip.bin", "legacy.bin"]) {
  testMutations(name, () => bytesOf(name), (mutant) => parseTorchFile(mutant, name));
}

if (full) {
  testMutations("a file of DPHuBERT", () => bytesOf("dphubert.pth"), readDphubert);
}

const dphubert = bytesOf("dphubert.pth");
const entries = new Map(
  [...zipEntries(memorySource(dphubert), fail)].map((
    [name, { start, end }],
  ) => [name, dphubert.slice(start, end)]),
);
const program = "dphubert/data.pkl";

testMutations(
  "the pickle in a file of DPHuBERT",
  () => entries.get(program)!,
  (pickle) =>
    readDphubert(zip([...entries].map(([name, data]) => ({ name, data: name === program ? pickle : data })))),
);

function readDphubert(file: Uint8Array): Promise<unknown> {
  return readCheckpoint({ files: { "dphubert.pth": file } });
}

Deno.test("a model is read from pytorch_model.bin, whole, in shards and by its path, and written as safetensors", async () => {
  const config = Deno.readFileSync(new URL("../base/config.json", folder));
  const expected = await readCheckpoint(decodeURIComponent(new URL("../base", folder).pathname));
  const bin = bytesOf("base.bin");
  const names = [...parseTorchFile(bin, "base.bin").tensors.keys()];
  const index = {
    weight_map: Object.fromEntries(names.map((name) => [name, "pytorch_model-00001-of-00001.bin"])),
  };
  const shards = {
    "pytorch_model.bin.index.json": new TextEncoder().encode(JSON.stringify(index)),
    "pytorch_model-00001-of-00001.bin": bin,
  };
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${dir}/config.json`, config);
    await Deno.writeFile(`${dir}/model.pt`, bin);
    for (
      const source of [
        { files: { "config.json": config, "pytorch_model.bin": bin } },
        { files: { "config.json": config, ...shards } },
        `${dir}/model.pt`,
      ]
    ) {
      const found = await readCheckpoint(source);
      assertEquals(found.head, expected.head);
      assertEquals([...found.tensors], [...expected.tensors]);
      const again = await readCheckpoint({
        files: { "config.json": config, "model.safetensors": encodeCheckpoint(found) },
      });
      assertEquals([...again.tensors], [...expected.tensors]);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
