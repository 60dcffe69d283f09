// Pictures of a report as PNG. The font comes from npm, as text would be missing on a machine without fonts.

/** Pixels of the PNG per pixel of the SVG. */
const ZOOM = 2;

const FONT = "npm:@expo-google-fonts/inter@0.4.2";

/** The part of resvg that is used. */
interface ResvgModule {
  Resvg: new (svg: string, options: unknown) => { render(): { asPng(): Uint8Array } };
}

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
  const { Resvg, fontFiles } = await load();
  const font = { fontFiles, loadSystemFonts: false, defaultFontFamily: "Inter", sansSerifFamily: "Inter" };
  const options = { font, background: "#ffffff", fitTo: { mode: "zoom", value: ZOOM } };
  return svgs.map((svg, i) => {
    try {
      return new Resvg(svg, options).render().asPng();
    } catch (cause) {
      throw failure(`picture ${i} must be SVG`, cause);
    }
  });
}

async function load(): Promise<ResvgModule & { fontFiles: string[] }> {
  try {
    const { Resvg } = await import("npm:@resvg/resvg-js@2.6.2") as unknown as ResvgModule;
    return { Resvg, fontFiles: await fontFiles() };
  } catch (cause) {
    throw failure("the npm packages for it must load", cause);
  }
}

function failure(rule: string, cause: unknown): Error {
  const [why] = (cause as Error).message.split("\n");
  return new Error(`Cannot draw PNG files as ${rule}: ${why}`, { cause });
}

/** Paths of the font files, which are downloaded if necessary. */
async function fontFiles(): Promise<string[]> {
  const { fileURLToPath } = await import("node:url");
  // Only an import downloads a package; then its other files can be resolved.
  await import("npm:@expo-google-fonts/inter@0.4.2/metadata.json", { with: { type: "json" } });
  const paths = ["400Regular/Inter_400Regular.ttf", "600SemiBold/Inter_600SemiBold.ttf"].map((path) =>
    fileURLToPath(import.meta.resolve(`${FONT}/${path}`))
  );
  for (const path of paths) await Deno.stat(path); // resvg ignores a missing font
  return paths;
}
