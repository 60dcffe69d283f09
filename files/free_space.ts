// Not a literal, as bundlers for browsers refuse modules of Node.
const FILE_SYSTEM: string = "node:fs/promises";

/**
 * Bytes that are free on the disk of a folder; null where that is unknown: on some file systems, and without permission.
 *
 * @param path The folder, or one that is to be made: then its nearest parent counts.
 */
export async function freeSpace(path: string): Promise<number | null> {
  const { statfs } = await import(FILE_SYSTEM) as typeof import("node:fs/promises");
  for (let folder = path;; folder = folder.slice(0, Math.max(1, folder.lastIndexOf("/")))) {
    const disk = await statfs(folder).catch(() => null);
    if (disk) return disk.bavail * disk.bsize;
    if (!folder.includes("/") || folder === "/") return null;
  }
}
