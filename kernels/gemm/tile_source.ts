import type { TileVariant } from "./choice.ts";
import type { Kernel } from "../../tensor/kernel.ts";
import { TypedKernel, type WgslTypes } from "../../tensor/typed_kernel.ts";
import gelu from "../internal/_gelu.wgsl" with { type: "text" };
import index from "../../tensor/_index.wgsl" with { type: "text" };
import { withoutDeadBranches } from "./dead_branches.ts";
import epilogue from "./_epilogue.wgsl" with { type: "text" };
import operand from "./_operand.wgsl" with { type: "text" };
import { multiplyAdds } from "./fma_order.ts";
import source from "./tile.wgsl" with { type: "text" };

/** How a workgroup divides a tile: the shader's constants. */
export interface TileShape {
  /** Invocations along m and along n. */
  readonly down: number;
  readonly across: number;
  /** Blocks of 4×4 of an invocation along m and along n. */
  readonly rowBlocks: 1 | 2 | 4;
  readonly columnBlocks: 1 | 2;
  /** Groups of so many invocations, which share the reduction; with two, an invocation has 2 × 2 blocks. */
  readonly groups: 1 | 2;
  /** Slices: with two, one is staged while the other is multiplied. */
  readonly slices: 1 | 2;
  /** Terms of the reduction in a group's share of a slice. */
  readonly depth: 8 | 16;
}

/** At most 256 invocations and 16 KiB, the default limits; an invocation stages one or two fours of either operand. */
export const tileShapes: Readonly<Record<TileVariant, TileShape>> = {
  "tile-32": { down: 8, across: 8, rowBlocks: 1, columnBlocks: 1, groups: 1, slices: 1, depth: 16 },
  "tile-64": { down: 8, across: 8, rowBlocks: 2, columnBlocks: 2, groups: 1, slices: 2, depth: 8 },
  "tile-64-k2": { down: 8, across: 8, rowBlocks: 2, columnBlocks: 2, groups: 2, slices: 2, depth: 8 },
  "tile-64x128": { down: 8, across: 16, rowBlocks: 2, columnBlocks: 2, groups: 1, slices: 2, depth: 8 },
  "tile-128": { down: 8, across: 16, rowBlocks: 4, columnBlocks: 2, groups: 1, slices: 2, depth: 8 },
};

/** Shaders that were put together so far. */
const kernels = new Map<string, Kernel>();

/**
 * The shader of a tile for its `override` constants. What they, its shape and its width rule out is not in its text, since a driver's
 * compiler would take most of its time for that.
 *
 * @param types Of its operands, and of what it stores.
 * @param width f32 of a `Number`.
 */
export function tileKernel(
  variant: TileVariant,
  constants: Readonly<Record<string, boolean>>,
  types: WgslTypes,
  width: 1 | 4,
): Kernel {
  const key = [variant, width, ...Object.values(types), ...Object.values(constants)].join();
  let kernel = kernels.get(key);
  if (!kernel) kernels.set(key, kernel = kernelOf(variant, constants, width).of(types, width));
  return kernel;
}

function kernelOf(
  variant: TileVariant,
  constants: Readonly<Record<string, boolean>>,
  width: number,
): TypedKernel {
  const shape = tileShapes[variant];
  const sizes = {
    DOWN: shape.down,
    ACROSS: shape.across,
    ROW_BLOCKS: shape.rowBlocks,
    COLUMN_BLOCKS: shape.columnBlocks,
    GROUPS: shape.groups,
    SLICES: shape.slices,
    DEPTH: shape.depth,
  };
  // Arrays within arrays need constants, which overrides are not.
  const lines = Object.entries(sizes).map(([name, value]) => `const ${name} = ${value}u;`);
  const live = (text: string) => withoutDeadBranches(text, { ...constants, ...sizes, WIDTH: width });
  const direct = constants.A_DIRECT! && constants.B_DIRECT!;
  return new TypedKernel(
    `gemm_${variant}`,
    `${lines.join("\n")}\n${writtenOut(live(source), shape, direct)}`,
    [
      ...["a", "b"].map((name) =>
        live(operand.replaceAll("operand", name).replaceAll("OPERAND", name.toUpperCase()))
      ),
      live(epilogue),
      gelu,
      index,
    ],
  );
}

/**
 * The text with its loops over the terms of a slice written out, which compilers of drivers leave to us; that over two slices, too,
 * but where loads are long.
 *
 * @param direct Whether both operands are loaded without a look at where they end.
 */
function writtenOut(text: string, shape: TileShape, direct: boolean): string {
  const { slices, depth } = shape;
  const out = (text: string, name: string, values: number[]) =>
    text.replace(
      new RegExp(`for \\(var ${name} = .* \\{\n([^]*?)\\} // of ${name}\n`),
      (_, body: string) => values.map((value) => `{\nconst ${name} = ${value}u;\n${body}}\n`).join(""),
    );
  const terms = Array.from({ length: depth / 4 }, (_, i) => 4 * i);
  const added = text
    .replace("// multiply–adds, terms back and forth", multiplyAdds(shape, true))
    .replace("// multiply–adds, terms in order", multiplyAdds(shape, false));
  const slice = out(added, "k", terms);
  if (slices === 1) return out(slice, "slice", [0]);
  return direct ? out(slice, "slice", [0, 1]) : slice;
}
