// Preprocesses WGSL: leaves lines out, repeats lines and substitutes values before a shader is compiled.
//
// `override` constants cannot change a shader's structure. This can: it gives arrays constant extents, unrolls loops, makes one
// function for each operand, and removes dead branches, on which a driver's compiler would spend most of its time.

/** Values by name: of conditions, of ranges and for substitution. */
export type Values = Readonly<Record<string, string | number | boolean>>;

/**
 * Expands directives, each of which is a comment on a line of its own, and then substitutes values in the other lines:
 *
 * | Text | Meaning |
 * | --- | --- |
 * | `//#if CONDITION` … `//#else` … `//#end` | Keeps the lines of one branch; `//#else` is optional. |
 * | `//#for NAME in FROM..TO step STEP` … `//#end` | Repeats the lines with `NAME` = FROM, FROM + STEP, … below TO; the step is 1 unless given. |
 * | `${NAME}` | The value of `NAME`, in directives too. |
 *
 * A condition is one or more of `NAME`, `!NAME`, `NAME == 2` and `NAME > 2`, joined by `&&`. FROM, TO and STEP are whole numbers
 * or names. Directives nest.
 *
 * @param text WGSL with directives.
 * @param values Value of every name.
 * @throws {SyntaxError} If a directive is unknown or malformed, or if a name has no value.
 * @example
 * ```ts
 * import { preprocess } from "./preprocess.ts";
 *
 * const text = `
 * //#for i in 0..BLOCKS
 * var sum\${i} = vec4f();
 * //#end
 * //#if BIAS
 * sum0 += bias[0];
 * //#end`;
 * console.log(preprocess(text, { BLOCKS: 2, BIAS: false })); // var sum0 = vec4f(); var sum1 = vec4f();
 * ```
 */
export function preprocess(text: string, values: Values): string {
  return expand(text.split("\n"), values).join("\n");
}

const DIRECTIVE = /^\s*\/\/#(\w+)(?: (.*))?$/;

function expand(lines: readonly string[], values: Values): string[] {
  const out: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const [, directive, argument = ""] = DIRECTIVE.exec(line) ?? [];
    if (!directive) {
      out.push(substitute(line, values));
      continue;
    }
    if (directive !== "if" && directive !== "for") {
      throw new SyntaxError(`Cannot preprocess as a block must start with //#if or //#for: ${line.trim()}`);
    }
    const { body, otherwise, end } = blockAt(lines, at);
    at = end;
    const operand = substitute(argument, values);
    if (directive === "if") {
      out.push(...expand(holds(operand, values) ? body : otherwise, values));
      continue;
    }
    const { name, range } = loopOf(operand, values);
    for (const value of range) out.push(...expand(body, { ...values, [name]: value }));
  }
  return out;
}

/** The lines between the directive at `start` and its `//#end`, before and after its `//#else`. */
function blockAt(lines: readonly string[], start: number) {
  const isIf = DIRECTIVE.exec(lines[start]!)![1] === "if";
  let depth = 0;
  let middle = 0;
  for (let at = start; at < lines.length; at++) {
    const [, directive] = DIRECTIVE.exec(lines[at]!) ?? [];
    if (directive === "if" || directive === "for") depth++;
    if (isIf && directive === "else" && depth === 1 && !middle) middle = at;
    if (directive !== "end" || --depth > 0) continue;
    return {
      body: lines.slice(start + 1, middle || at),
      otherwise: middle ? lines.slice(middle + 1, at) : [],
      end: at,
    };
  }
  throw new SyntaxError(`Cannot preprocess as a block must end with //#end: ${lines[start]!.trim()}`);
}

function substitute(line: string, values: Values): string {
  return line.replace(/\$\{(\w+)\}/g, (_, name: string) => String(valueOf(name, values)));
}

function valueOf(name: string, values: Values): string | number | boolean {
  const value = values[name];
  if (value === undefined) {
    throw new SyntaxError(`Cannot preprocess as every name must have a value: ${name}`);
  }
  return value;
}

function holds(condition: string, values: Values): boolean {
  return condition.split(" && ").every((term) => {
    const [, not, name, operator, bound] = /^(!?)(\w+)(?: (==|>) (\d+))?$/.exec(term) ?? [];
    if (!name || (not && operator)) {
      throw new SyntaxError(
        `Cannot preprocess as a term must be NAME, !NAME, NAME == 2 or NAME > 2: ${term}`,
      );
    }
    const value = Number(valueOf(name, values));
    if (operator) return operator === "==" ? value === Number(bound) : value > Number(bound);
    return not ? value === 0 : value !== 0;
  });
}

function loopOf(argument: string, values: Values): { name: string; range: number[] } {
  const [, name, ...bounds] = /^(\w+) in (\w+)\.\.(\w+)(?: step (\w+))?$/.exec(argument) ?? [];
  const [from, to, step] = bounds.map((bound = "1") =>
    /^\d+$/.test(bound) ? Number(bound) : Number(valueOf(bound, values))
  );
  if (!name || !(step! > 0)) {
    throw new SyntaxError(`Cannot preprocess as a loop must be NAME in FROM..TO step STEP: ${argument}`);
  }
  const count = Math.max(0, Math.ceil((to! - from!) / step!));
  return { name, range: Array.from({ length: count }, (_, i) => from! + i * step!) };
}
