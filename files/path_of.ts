/** The path of a file. @throws {TypeError} If it is the URL of something else. */
export function pathOf(path: string | URL): string {
  if (typeof path === "string") return path;
  if (path.protocol === "file:") return decodeURIComponent(path.pathname);
  throw new TypeError(
    `Cannot read ${path.href} as a path or a file URL is needed: fetch it and pass its bytes`,
  );
}
