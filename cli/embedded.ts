// The models that come with the program.

/** Folder or URL of the embedded dense model: transcribes spoken home commands. */
export const EMBEDDED_DENSE = folder("commands-tiny");

/** Folder or URL of the embedded compact model: the dense one, pruned to half of its MACs. */
export const EMBEDDED_COMPACT = folder("commands-tiny-compact");

function folder(name: string): string {
  const url = new URL(`../assets/${name}`, import.meta.url);
  return url.protocol === "file:" ? decodeURIComponent(url.pathname) : url.href;
}
