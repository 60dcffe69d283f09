// Files of torch.save that try to run code, or to take endless time or memory. Each must be refused in one line, or read
// without the parts that do.

const encoder = new TextEncoder();

/** Bytes of a text of Latin characters and of lists of bytes. */
export function bytes(...parts: (string | readonly number[] | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const all = parts.map((part) =>
    typeof part === "string" ? latin(part) : part instanceof Uint8Array ? part : Uint8Array.from(part)
  );
  const joined = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of all) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function latin(text: string): Uint8Array {
  const codes = new Uint8Array(text.length);
  for (let i = 0; i < codes.length; i++) codes[i] = text.charCodeAt(i);
  return codes;
}

/** The same byte, many times. */
const many = (byte: string, times: number) => new Uint8Array(times).fill(byte.charCodeAt(0));

/** Little-endian bytes of a number. */
const le = (value: number, size: number) =>
  Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i) % 256);

/** An entry of a zip file; its directory may state another size, flags or method than it has. */
export interface Entry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly size?: number;
  readonly packed?: number;
  readonly method?: number;
  readonly flags?: number;
  /** Index of the entry whose bytes it shares. */
  readonly same?: number;
}

/** A zip file of stored entries. @param count Number of entries that its end states. */
export function zip(entries: readonly Entry[], count = entries.length): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const offsets: number[] = [];
  let at = 0;
  for (const { name, data, same } of entries) {
    if (same !== undefined) {
      offsets.push(offsets[same]!);
      continue;
    }
    const path = encoder.encode(name);
    const local = bytes("PK\x03\x04", new Array(22).fill(0), le(path.length, 2), le(0, 2), path, data);
    offsets.push(at);
    parts.push(local);
    at += local.length;
  }
  const directory = bytes(...entries.map(({ name, data, size, packed, method = 0, flags = 0 }, i) => {
    const path = encoder.encode(name);
    const stated = size ?? data.length;
    return bytes(
      "PK\x01\x02",
      new Array(4).fill(0),
      le(flags, 2),
      le(method, 2),
      new Array(8).fill(0),
      le(packed ?? stated, 4),
      le(stated, 4),
      le(path.length, 2),
      new Array(12).fill(0),
      le(offsets[i]!, 4),
      path,
    );
  }));
  const end = bytes(
    "PK\x05\x06",
    new Array(4).fill(0),
    le(count, 2),
    le(count, 2),
    le(directory.length, 4),
    le(at, 4),
    le(0, 2),
  );
  return bytes(...parts, directory, end);
}

/** A zip file of torch.save with this program, without its header and stop. */
const torch = (program: Uint8Array | string, ...storages: Entry[]) =>
  zip([{ name: "a/data.pkl", data: bytes("\x80\x02", bytes(program), ".") }, ...storages]);

/** A file of the legacy format with this program. */
export const legacy = (program: Uint8Array | string, keys = "]", rest: readonly number[] = []) =>
  bytes(
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.",
    "\x80\x02M\xe9\x03.",
    "\x80\x02}.",
    bytes("\x80\x02", bytes(program), "."),
    `\x80\x02${keys}.`,
    rest,
  );

const text = (value: string) => bytes("X", le(value.length, 4), value);
const storage = (key: Uint8Array | string, size: Uint8Array | string) =>
  bytes("(", text("storage"), "ctorch\nFloatStorage\n", bytes(key), text("cpu"), bytes(size), "tQ");
const tensor = (stored: Uint8Array, offset: string, shape: string | Uint8Array, strides: string) =>
  bytes("ctorch._utils\n_rebuild_tensor_v2\n(", stored, offset, shape, strides, "\x89}tR");
const state = (...values: Uint8Array[]) =>
  bytes("}(", ...values.flatMap((value, i) => [text(`w${i}`), value]), "u");
const four = storage(text("0"), "K\x04");
const data: Entry = { name: "a/data/0", data: new Uint8Array(16) };
const call = (name: string, argument: string) =>
  bytes(`c${name.replace(".", "\n")}\n`, text(argument), "\x85R");
/** A list of two of the list before, n times. */
const doubled = (n: number) =>
  bytes("]q\x00", ...Array.from({ length: n }, (_, i) => bytes(`(h`, [i], "h", [i], "lq", [i + 1])));

/** A zip file of torch.save of a dictionary with one state, of one vector of zeros `w0`, under each key. */
export function torchOf(vectors: Readonly<Record<string, { key: string; size: number }>>): Uint8Array {
  const states = Object.entries(vectors).map(([name, { key, size }]) => {
    const count = bytes("J", le(size, 4));
    const vector = tensor(storage(text(key), count), "K\x00", bytes(count, "\x85"), "K\x01\x85");
    return bytes(text(name), state(vector));
  });
  const entries = Object.values(vectors).map(({ key, size }): Entry => ({
    name: `a/data/${key}`,
    data: new Uint8Array(4 * size),
  }));
  return torch(bytes("}(", ...states, "u"), ...entries);
}

/** Files, made one at a time, with the message that refuses each; null if it is read. */
export const HOSTILE: readonly (readonly [name: string, make: () => Uint8Array, message: string | null])[] = [
  ["os.system", () => torch(call("os.system", "touch harmed")), "it is a os.system"],
  ["posix.system", () => legacy(call("posix.system", "touch harmed")), "it is a posix.system"],
  ["builtins.eval", () => torch(call("builtins.eval", "open('harmed', 'w')")), "it is a builtins.eval"],
  [
    "builtins.exec by name",
    () => torch(bytes(text("builtins"), text("exec"), "\x93", text("1"), "\x85R")),
    "builtins.exec",
  ],
  [
    "a call of a call",
    () => torch(bytes(call("builtins.getattr", "system"), text("x"), "\x85R")),
    "builtins.getattr",
  ],
  [
    "a tensor that a call makes",
    () => torch(state(call("torch._C.tensor", "x"))),
    "w0 is made by torch._C.tensor",
  ],
  [
    "code beside tensors",
    () => torch(state(tensor(four, "K\x00", "K\x04\x85", "K\x01\x85"), call("os.system", "x")), data),
    null,
  ],
  [
    "a state with attributes",
    () =>
      torch(
        bytes(
          state(tensor(four, "K\x00", "K\x04\x85", "K\x01\x85")),
          "}",
          text("__reduce__"),
          call("os.system", "x"),
          "sb",
        ),
        data,
      ),
    null,
  ],
  ["items of a call", () => torch(bytes("cos\nsystem\n)R", text("a"), "K\x01s")), "it is a os.system"],
  ["items of a number", () => torch("K\x01K\x02K\x03s"), "set items only of dictionaries"],
  ["appends to a dictionary", () => torch("}K\x03a"), "append only to lists"],
  [
    "a compressed entry",
    () => zip([{ name: "a/data.pkl", data: bytes("x"), size: 1e9, packed: 1, method: 8 }]),
    "without compression",
  ],
  [
    "a larger size than its bytes",
    () => zip([{ name: "a/data.pkl", data: bytes("}."), size: 1e9 }]),
    "must lie within the file",
  ],
  [
    "sizes that differ",
    () => zip([{ name: "a/data.pkl", data: bytes("}."), size: 4e9, packed: 2 }]),
    "without compression",
  ],
  [
    "an encrypted entry",
    () => zip([{ name: "a/data.pkl", data: bytes("}."), flags: 1 }]),
    "must not be encrypted",
  ],
  ["an entry twice", () => zip([data, data]), "no zip entry may appear twice: a/data/0"],
  [
    "overlapping entries",
    () => {
      const large = { ...data, data: new Uint8Array(1e5) };
      return zip([large, ...Array.from({ length: 99 }, (_, i) => ({ ...large, name: `a/${i}`, same: 0 }))]);
    },
    "must not overlap",
  ],
  ["more entries than there are", () => zip([data], 65_000), "must list every entry"],
  [
    "a storage that is cut off",
    () => torch(state(tensor(storage(text("0"), "K\x05"), "K\x00", "K\x05\x85", "K\x01\x85")), data),
    "data/0 has 16 of 20",
  ],
  [
    "a storage of 2^63 elements",
    () =>
      torch(
        state(tensor(storage(text("0"), "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"), "K\x00", ")", ")")),
        data,
      ),
    "a storage has a size",
  ],
  [
    "a storage of 2^70 elements",
    () =>
      torch(
        state(tensor(storage(text("0"), bytes("\x8a\x09", new Array(8).fill(0), [64])), "K\x00", ")", ")")),
        data,
      ),
    "a storage has a size",
  ],
  [
    "a storage without its entry",
    () => torch(state(tensor(storage(text("7"), "K\x04"), "K\x00", "K\x04\x85", "K\x01\x85")), data),
    "data/7 is missing",
  ],
  [
    "a key that is a list",
    () => torch(state(tensor(storage(doubled(60), "K\x04"), "K\x00", "K\x04\x85", "K\x01\x85")), data),
    "a storage has a key",
  ],
  [
    "a view beyond its storage",
    () => torch(state(tensor(four, "K\x01", "K\x04\x85", "K\x01\x85")), data),
    "element 4 of 4 elements",
  ],
  [
    "a negative stride",
    () => torch(state(tensor(four, "K\x03", "K\x04\x85", "J\xff\xff\xff\xff\x85")), data),
    "one of them is something else",
  ],
  [
    "an expanded tensor",
    () => torch(state(tensor(four, "K\x00", "J\x00\x00\x00\x7fK\x02\x86", "K\x00K\x00\x86")), data),
    "must not be larger than its storage",
  ],
  [
    "a shape of many axes",
    () =>
      torch(
        bytes(
          "(",
          "K\x01".repeat(9999),
          "tq\x00",
          state(...new Array(999).fill(tensor(four, "K\x00", "h\x00", "h\x00"))),
        ),
        data,
      ),
    "one of them is something else",
  ],
  [
    "copies without end",
    () =>
      torch(
        bytes(
          four,
          "q\x000",
          state(...new Array(99).fill(tensor(bytes("h\x00"), "K\x00", "K\x02K\x02\x86", "K\x01K\x02\x86"))),
        ),
        { ...data, data: new Uint8Array(16) },
      ),
    null,
  ],
  ["a list of itself", () => torch("]q\x00h\x00a"), "it holds something else"],
  [
    "a call with itself as its arguments",
    () =>
      torch(
        "]q\x00(ctorch._tensor\n_rebuild_from_type_v2\nNh\x00e0ctorch._tensor\n_rebuild_from_type_v2\nh\x00R",
      ),
    "it is a torch._tensor._rebuild_from_type_v2",
  ],
  ["a chain of the memo", () => torch(doubled(200)), "it holds something else"],
  ["a name from a chain", () => torch(bytes(doubled(99), text("x"), "\x93")), "globals are named by texts"],
  ["deep nesting", () => torch("]".repeat(300_000) + "a".repeat(299_999)), "it holds something else"],
  ["deep tuples", () => torch("N" + "\x85".repeat(500_000)), "it holds something else"],
  ["a program of 8 MB", () => torch(many("N", 8e6)), "a pickle has at most 1048576 steps"],
  ["dictionaries without end", () => torch(many("}", 8e6)), "a pickle has at most 65536 dictionaries"],
  ["sets without end", () => legacy(many("\x8f", 8e6)), "a pickle has at most 65536 dictionaries"],
  [
    "copies of a dictionary",
    () =>
      torch(
        bytes(
          "(",
          "K\x01K\x01\x86".repeat(100_000),
          "lq\x000",
          "ccollections\nOrderedDict\nh\x00\x85R".repeat(9000),
        ),
      ),
    "a pickle has at most 1048576 steps",
  ],
  ["a text that is longer than the file", () => torch("X\xff\xff\xff\xff"), "it is cut off"],
  ["a text of 2^60 bytes", () => torch("\x8d\xff\xff\xff\xff\xff\xff\xff\x0f"), "it is cut off"],
  ["bytes of 2^64", () => torch("\x8e\xff\xff\xff\xff\xff\xff\xff\xff"), "it is cut off"],
  ["a number of 8 MB", () => torch(bytes("\x8b", le(8e6, 4), new Uint8Array(8e6))), "it is a large number"],
  [
    "names of 8 MB",
    () => torch(bytes("}", bytes("X", le(8e6, 4), many("a", 8e6)), "K\x01s")),
    "it has no tensor",
  ],
  [
    "a global without its line break",
    () => torch(bytes("c", new Uint8Array(8e6))),
    "names end with their line",
  ],
  ["no stop code", () => zip([{ name: "a/data.pkl", data: bytes("\x80\x02}") }]), "ends with its stop code"],
  [
    "a legacy storage of lying size",
    () =>
      legacy(state(tensor(four, "K\x00", "K\x04\x85", "K\x01\x85")), "](X\x01\x00\x00\x000e", [
        ...le(1e9, 8),
        0,
      ]),
    "0 is cut off",
  ],
  ["legacy keys without their storages", () => legacy("}", "](h\x00e"), "entry 0 is missing"],
  [
    "legacy keys that are lists",
    () => legacy("}", `]q\x00${"(h\x00h\x00lq\x00".repeat(60)}`),
    "names: it holds another one",
  ],
];
