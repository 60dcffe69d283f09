/**
 * Environment variables as the code of this test file sees them during `use`; undefined unsets one. Test files run in
 * threads of one process, so the process's own variables stay as they are: other files and the processes that they start
 * would see them too.
 */
export async function withEnv<T>(
  variables: Readonly<Record<string, string | undefined>>,
  use: () => T | Promise<T>,
): Promise<T> {
  const { get, has } = Deno.env;
  const valueOf = (name: string) => Object.hasOwn(variables, name) ? variables[name] : get(name);
  Deno.env.get = valueOf;
  Deno.env.has = (name) => valueOf(name) !== undefined;
  try {
    return await use();
  } finally {
    Object.assign(Deno.env, { get, has });
  }
}
