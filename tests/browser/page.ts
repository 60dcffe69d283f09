// Runs in the browser: collects the tests of the bundled files, runs them in turn and reports to the server of the
// page. Imported before the test files, since it replaces Deno's test API.
import { testGpu } from "../gpu.ts";

/** Messages of the page to the server, in this order: the adapter, each test's start and result, the end. */
export type Report =
  | { readonly kind: "adapter"; readonly name: string; readonly subgroups: boolean }
  | { readonly kind: "start"; readonly name: string }
  | { readonly kind: "result"; readonly name: string; readonly ms: number; readonly error: string | null }
  | { readonly kind: "skipped"; readonly name: string; readonly why: string }
  | { readonly kind: "end"; readonly error: string | null };

type Body = () => void | Promise<void>;

interface Definition {
  readonly name: string;
  readonly ignore?: boolean;
  readonly fn: Body;
}

const tests: Definition[] = [];

function test(
  ...args: [string, Body] | [string, Omit<Definition, "name" | "fn">, Body] | [Definition]
): void {
  const [first, second, third] = args;
  if (typeof first === "object") tests.push(first);
  else if (typeof second === "function") tests.push({ name: first, fn: second });
  else tests.push({ ...second, name: first, fn: third! });
}

interface Request {
  open(method: string, url: URL, async: boolean): void;
  overrideMimeType(type: string): void;
  send(): void;
  readonly status: number;
  readonly responseText: string;
}

function readFileSync(url: URL): Uint8Array {
  const { XMLHttpRequest } = globalThis as unknown as { XMLHttpRequest: new () => Request };
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  // A synchronous request gives text alone; in this encoding the low eight bits of a character are its byte.
  request.overrideMimeType("text/plain; charset=x-user-defined");
  request.send();
  if (request.status !== 200) throw new Error(`Cannot read a file as the server has none: ${url}`);
  return Uint8Array.from(request.responseText, (character) => character.charCodeAt(0) & 255);
}

// The parts of Deno that the tests of the kernels and their imports use; the system is one without Vulkan. Variables are in the
// page's address.
const build = { os: "browser" };
const inspect = (value: unknown) =>
  ArrayBuffer.isView(value) ? `[${value}]` : JSON.stringify(value) ?? `${value}`;
Object.assign(globalThis, {
  Deno: { test, readFileSync, inspect, env: new Map(new URLSearchParams(location.search)), build },
});

async function report(report: Report): Promise<void> {
  await fetch("/report", { method: "POST", body: JSON.stringify(report) });
}

const fits = (pattern: string, name: string) =>
  pattern.startsWith("…") ? name.endsWith(pattern.slice(1)) : name === pattern;

/**
 * Runs the collected tests.
 *
 * @param skipped Reasons by name of the test, or by its end after an ellipsis.
 * @param parts Only tests whose name has one of these parts run; all if empty.
 */
export async function run(skipped: Record<string, string>, parts: readonly string[]): Promise<void> {
  try {
    const reasons = Object.entries(skipped);
    const [stale] = reasons.find(([pattern]) => !tests.some(({ name }) => fits(pattern, name))) ?? [];
    if (stale) throw new Error(`Cannot skip a test that does not exist: "${stale}"`);
    const gpu = await testGpu();
    await report({ kind: "adapter", name: gpu.name, subgroups: gpu.subgroups });
    for (const { name, ignore, fn } of tests) {
      if (parts.length > 0 && !parts.some((part) => name.includes(part))) continue;
      const why = ignore ? "ignored" : reasons.find(([pattern]) => fits(pattern, name))?.[1];
      if (why) {
        await report({ kind: "skipped", name, why });
        continue;
      }
      await report({ kind: "start", name });
      const start = performance.now();
      let error: string | null = null;
      try {
        await fn();
      } catch (thrown) {
        error = thrown instanceof Error ? `${thrown.stack ?? thrown}` : `${thrown}`;
      }
      await report({ kind: "result", name, ms: performance.now() - start, error });
    }
    await report({ kind: "end", error: null });
  } catch (thrown) {
    await report({ kind: "end", error: `${thrown}` });
  }
}
