/// <reference lib="deno.unstable" />
/**
 * The files of the page that `web` serves: its script, bundled from web/, and those of the models.
 *
 * @module
 */
import { fileError, readFileIfExists } from "../files/atomic_file.ts";
import { printable } from "../files/printable.ts";
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { shardNames, TOKENIZER_FILES, WEIGHT_FILES } from "../model/checkpoint/weight_files.ts";
import { costsOf } from "../model/costs.ts";
import type { Site, SiteModel } from "../web/site.ts";
import { folderOf } from "./model_option.ts";
import { note } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/** A file of the page: in memory, or on disk. */
export type SiteFile =
  & { readonly size: number }
  & ({ readonly bytes: Uint8Array<ArrayBuffer> } | { readonly path: string });

/** Files by their path relative to the page. */
export type SiteFiles = ReadonlyMap<string, SiteFile>;

/** A model to show. */
export interface SiteSource {
  /** Heading. */
  readonly title: string;
  /** Folder, or name on the hub. */
  readonly model: string;
}

/** Length of the audio that MACs are counted for; attention's grow with its square. */
const SECONDS = 10;

const WEB = new URL("../web/", import.meta.url);
const SAMPLES = new URL("../assets/samples/", import.meta.url);

/**
 * Collects the files of the page.
 *
 * @param sources the models, the dense one first
 * @throws {UserError} a model cannot transcribe
 * @throws {Error} a file is missing or wrong; one line
 */
export async function buildSite(sources: readonly SiteSource[]): Promise<SiteFiles> {
  const files = new Map<string, SiteFile>();
  const addBytes = (name: string, bytes: Uint8Array<ArrayBuffer>) =>
    files.set(name, { bytes, size: bytes.length });
  const addFile = async (name: string, path: string) => {
    const { size } = await Deno.stat(path).catch((error) => {
      throw fileError("read", path, error);
    });
    files.set(name, { path, size });
  };
  for (const name of ["index.html", "style.css"]) await addFile(name, pathOf(new URL(name, WEB)));
  addBytes("page.js", await bundlePage());
  const samples: string[] = [];
  for await (const { name } of Deno.readDir(pathOf(SAMPLES))) {
    if (!name.endsWith(".flac")) continue;
    samples.push(`samples/${name}`);
    await addFile(`samples/${name}`, pathOf(new URL(name, SAMPLES)));
  }
  const models: SiteModel[] = [];
  for (const source of sources) {
    const { model, paths } = await siteModel(source);
    for (const [name, path] of paths) await addFile(model.folder + name, path);
    models.push(model);
  }
  const site: Site = { models, samples: samples.sort() };
  addBytes("site.json", new TextEncoder().encode(JSON.stringify(site)));
  return files;
}

/** A model as the page describes it, and the paths of its files by name. */
async function siteModel(
  { title, model: given }: SiteSource,
): Promise<{ model: SiteModel; paths: Map<string, string> }> {
  const folder = (await folderOf(given)).replace(/(?<=.)\/+$/, "");
  const { config, head, notes } = await readCheckpoint(folder);
  for (const text of notes) note(text);
  if (head !== "ctc") {
    throw new UserError(`Cannot show ${printable(given)} as the page transcribes: its head is ${head}`);
  }
  const paths = await modelPaths(folder);
  const stats = await Promise.all([...paths.values()].map((path) => Deno.stat(path)));
  const { parameters, macs } = costsOf(config, 16_000 * SECONDS);
  return {
    paths,
    model: {
      title,
      name: given.replace(/\/+$/, "").split("/").slice(-2).join("/"),
      folder: `models/${title.toLowerCase()}/`,
      version: await digest(stats.map(({ size, mtime }) => `${size} ${mtime?.getTime()}`).join()),
      bytes: stats.reduce((sum, { size }) => sum + size, 0),
      parameters,
      macs: macs / SECONDS,
    },
  };
}

/** Paths of the files that loadModel reads from a URL, by name. */
async function modelPaths(folder: string): Promise<Map<string, string>> {
  const there: string[] = [];
  const exists = async (name: string) => {
    const isThere = await Deno.stat(`${folder}/${name}`).then(() => true, () => false);
    if (isThere) there.push(name);
    return isThere;
  };
  for (const name of ["config.json", ...TOKENIZER_FILES]) await exists(name);
  for (const name of WEIGHT_FILES) {
    if (await exists(name)) break;
    const index = await readFileIfExists(`${folder}/${name}.index.json`);
    if (!index) continue;
    there.push(
      `${name}.index.json`,
      ...shardNames(new TextDecoder().decode(index), `${folder}/${name}.index.json`),
    );
    break;
  }
  return new Map(there.map((name) => [name, `${folder}/${name}`]));
}

/** The page's script as one ES module with the library and its shaders inside. */
async function bundlePage(): Promise<Uint8Array<ArrayBuffer>> {
  const entry = pathOf(new URL("main.ts", WEB));
  const { success, errors, outputFiles } = await Deno.bundle({
    entrypoints: [entry],
    platform: "browser",
    minify: true,
    write: false,
  });
  const bytes = outputFiles?.[0]?.contents;
  if (!success || !bytes) throw new Error(`Cannot bundle ${entry}: ${errors[0]?.text ?? "no output"}`);
  return bytes as Uint8Array<ArrayBuffer>;
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).toHex().slice(0, 12);
}

function pathOf(url: URL): string {
  return decodeURIComponent(url.pathname);
}
