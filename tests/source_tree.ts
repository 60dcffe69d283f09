// The modules of the project and what they import, read from their text.

export const root = new URL("../", import.meta.url);

/** An import of a module. */
export interface Import {
  /** Path from the root, or the specifier as written where it is not relative. */
  readonly to: string;
  /** Whether it is of types alone. */
  readonly types: boolean;
}

/** Paths of all TypeScript files of folders, from the root. */
export async function modules(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    for await (const { name, isDirectory } of Deno.readDir(new URL(`${folder}/`, root))) {
      const path = `${folder}/${name}`;
      if (isDirectory) found.push(...await modules([path]));
      else if (name.endsWith(".ts")) found.push(path);
    }
  }
  return found.sort();
}

/** What a module imports and re-exports, statically and dynamically. */
export function importsOf(path: string, text: string): Import[] {
  const code = text.replace(/\/\*\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const found: Import[] = [];
  const add = (specifier: string, types: boolean) => {
    const relative = specifier.startsWith(".");
    const to = relative ? new URL(specifier, `file:///${path}`).pathname.slice(1) : specifier;
    found.push({ to, types });
  };
  for (
    const [, type, names, specifier] of code.matchAll(
      /^(?:import|export)\s+(type\s+)?([^;"'=()]*?)from\s+"([^"]+)"/gm,
    )
  ) {
    const named = /^\{([^}]*)\}$/.exec(names!.trim())?.[1];
    const parts = named?.split(",").map((name) => name.trim()).filter(Boolean) ?? [];
    add(
      specifier!,
      type !== undefined || (parts.length > 0 && parts.every((name) => name.startsWith("type "))),
    );
  }
  for (const [, specifier] of code.matchAll(/(?:^import\s+|\bimport\(\s*)"([^"]+)"/gm)) {
    add(specifier!, false);
  }
  return found;
}

/** Sets of modules that import each other in a circle, of two or more, or one that imports itself. */
export function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!));
    }
    if (low.get(node) !== index.get(node)) return;
    const circle = stack.splice(stack.indexOf(node)).sort();
    if (circle.length > 1 || graph.get(node)!.includes(node)) found.push(circle);
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return found;
}
