/**
 * Variables by which a process with a cache folder of its own keeps the caches of Deno and of the driver: without them it
 * downloads all packages and compiles all shaders anew.
 */
export async function keptCaches(): Promise<Record<"DENO_DIR" | "MESA_SHADER_CACHE_DIR", string>> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout));
  const shaders = Deno.env.get("MESA_SHADER_CACHE_DIR") || Deno.env.get("XDG_CACHE_HOME") ||
    `${Deno.env.get("HOME")}/.cache`;
  return { DENO_DIR: denoDir, MESA_SHADER_CACHE_DIR: shaders };
}
