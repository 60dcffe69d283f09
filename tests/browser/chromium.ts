// Finds the browser of the tests.

/** The program that CHROMIUM names, or one of the usual names; null where there is none. */
export async function findChromium(): Promise<string | null> {
  const given = Deno.env.get("CHROMIUM");
  for (const program of given ? [given] : ["chromium", "chromium-browser", "google-chrome"]) {
    for (const folder of program.includes("/") ? [""] : (Deno.env.get("PATH") ?? "").split(":")) {
      const path = folder === "" ? program : `${folder}/${program}`;
      if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
    }
  }
  return null;
}
