import type { Constants } from "../../tensor/pipelines.ts";

/**
 * A shader without the branches that constants rule out. Compilers leave them out in the end, but first put every call
 * in place, which takes them longer than all that remains. Lines keep their numbers.
 *
 * A condition is read if it is terms such as `NAME`, `!NAME`, `NAME == 1u` or `NAME > 1u` joined by `&&`; another one, and one
 * that the constants do not decide, is left as it is.
 *
 * @param text WGSL, formatted: a branch ends with the first line of its indentation.
 * @param constants What is known.
 */
export function withoutDeadBranches(text: string, constants: Constants): string {
  const branch = /^( *)if \(([^()]+)\) \{\n((?:\1 .*\n|\n)*)\1\}(?: else \{\n((?:\1 .*\n|\n)*)\1\})?\n/gm;
  const live = (head: string, body: string, indent: string) =>
    `${head}{\n${withoutDeadBranches(body, constants)}${indent}}`;
  return text.replace(branch, (_, indent: string, condition: string, yes: string, no?: string) => {
    const holds = decide(condition, constants);
    if (holds === undefined) {
      const rest = no === undefined ? "" : live(" else ", no, indent);
      return `${live(`${indent}if (${condition}) `, yes, indent)}${rest}\n`;
    }
    if (holds) return `${live(indent, yes, indent)}\n${no === undefined ? "" : `${blank(no)}\n`}`;
    return `\n${blank(yes)}${no === undefined ? "" : live(indent, no, indent)}\n`;
  });
}

/** As many lines, with nothing in them. */
const blank = (text: string) => text.replace(/.+/g, "");

/** Whether a condition holds; undefined if the constants do not tell. */
function decide(condition: string, constants: Constants): boolean | undefined {
  const terms = condition.split(" && ").map((term) => decideTerm(term, constants));
  if (terms.includes(false)) return false;
  return terms.includes(undefined) ? undefined : true;
}

function decideTerm(term: string, constants: Constants): boolean | undefined {
  const match = /^(!?)(\w+)(?: (==|>) (\d+)u)?$/.exec(term);
  const [, not, name, operator, bound] = match ?? [];
  if (!name || !(name in constants)) return undefined;
  const value = Number(constants[name]);
  if (operator) return operator === "==" ? value === Number(bound) : value > Number(bound);
  return not ? value === 0 : value !== 0;
}
