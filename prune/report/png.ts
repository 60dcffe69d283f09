// Pictures of a report as PNG. The font comes from npm, as text would be missing on a machine without fonts.

/** Pixels of the PNG per pixel of the SVG. */
const ZOOM = 2;

const FONT = "npm:@expo-google-fonts/inter@0.4.2";

/** The part of resvg that is used. */
interface ResvgModule {
  readonly initWasm: (module: WebAssembly.Module) => Promise<void>;
  readonly Resvg: new (svg: string, options: unknown) => { render(): { asPng(): Uint8Array } };
}

/** resvg and the fonts, loaded once. */
let loaded: Promise<{ Resvg: ResvgModule["Resvg"]; fontBuffers: readonly Uint8Array[] }> | undefined;

/**
 * Draws SVG as PNG at twice its size on a white background, with the font Inter (SIL Open Font License).
 *
 * @param svgs Pictures.
 * @returns A PNG file per picture.
 * @throws {Error} If an npm package cannot be loaded, or a picture is not valid SVG; one line.
 *
 * @example
 * ```ts ignore
 * import { pngsOf } from "./png.ts";
 *
 * const [png] = await pngsOf([await Deno.readTextFile("loss.svg")]);
 * await Deno.writeFile("loss.png", png!);
 * ```
 */
export async function pngsOf(svgs: readonly string[]): Promise<Uint8Array[]> {
  const { Resvg, fontBuffers } = await (loaded ??= load());
  const font = { fontBuffers, loadSystemFonts: false, defaultFontFamily: "Inter", sansSerifFamily: "Inter" };
  const options = { font, background: "#ffffff", fitTo: { mode: "zoom", value: ZOOM } };
  return svgs.map((svg, i) => {
    try {
      return new Resvg(svg, options).render().asPng();
    } catch (cause) {
      throw failure(`picture ${i} must be SVG`, cause);
    }
  });
}

async function load() {
  try {
    // WebAssembly: no native code runs, which would need a permission.
    const resvg: unknown = await import("npm:@resvg/resvg-wasm@2.6.2");
    const { initWasm, Resvg } = resvg as ResvgModule;
    // @ts-expect-error TypeScript does not know imports in the source phase yet.
    const wasm: WebAssembly.Module = await import.source("npm:@resvg/resvg-wasm@2.6.2/index_bg.wasm");
    await initWasm(wasm);
    return { Resvg, fontBuffers: await fonts() };
  } catch (cause) {
    throw failure("the npm packages for it must load", cause);
  }
}

function failure(rule: string, cause: unknown): Error {
  const [why] = (cause as Error).message.split("\n");
  return new Error(`Cannot draw PNG files as ${rule}: ${why}`, { cause });
}

/** The font files, which are downloaded if necessary. */
async function fonts(): Promise<Uint8Array[]> {
  const { fileURLToPath } = await import("node:url");
  // Only an import downloads a package; then its other files can be resolved.
  await import("npm:@expo-google-fonts/inter@0.4.2/metadata.json", { with: { type: "json" } });
  return await Promise.all(
    ["400Regular/Inter_400Regular.ttf", "600SemiBold/Inter_600SemiBold.ttf"].map((path) =>
      Deno.readFile(fileURLToPath(import.meta.resolve(`${FONT}/${path}`)))
    ),
  );
}
