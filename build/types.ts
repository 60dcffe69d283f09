import ts from "npm:typescript@6.0.3";

const root = new URL("../", import.meta.url).pathname;

/** What TypeScript by itself cannot resolve: shaders as text. */
const SHADERS = `declare module "*.wgsl" {\n  const source: string;\n  export default source;\n}\n`;

/** The types of `Deno`, as the installed version prints them. */
async function denoTypes(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["types"] }).output();
  return new TextDecoder().decode(stdout).replace(/^\/\/\/ <reference lib=.*$/gm, "");
}

/**
 * Writes the declarations of the library, `mod.d.ts` and a file per module.
 *
 * @param folder where to
 * @throws {Error} TypeScript cannot declare an export; one line
 */
export async function writeTypes(folder: string): Promise<void> {
  const extra = new Map([[`${root}shaders.d.ts`, SHADERS], [`${root}deno.d.ts`, await denoTypes()]]);
  const options: ts.CompilerOptions = {
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: root,
    outDir: folder,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    lib: ["lib.esnext.d.ts"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (path) => extra.get(path) ?? readFile(path);
  host.fileExists = (path) => extra.has(path) || fileExists(path);
  const { writeFile } = host;
  host.writeFile = (path, text) => writeFile(path, withoutDeno(text), false);
  const program = ts.createProgram([`${root}mod.ts`, ...extra.keys()], options, host);
  const { diagnostics } = program.emit();
  for (const { file, messageText } of diagnostics) {
    const text = ts.flattenDiagnosticMessageText(messageText, " ");
    throw new Error(`Cannot declare ${file?.fileName} as its exports must have types: ${text}`);
  }
}

/** A declaration that does not need the types of Deno: its files are opaque to users. */
function withoutDeno(text: string): string {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "");
  return /\bDeno\./.test(code) ? `${text}declare namespace Deno {\n  type FsFile = unknown;\n}\n` : text;
}
