// Parses all hostile files in a process with little memory and without permissions.
import { parseTorchFile } from "../../../model/checkpoint/torch_file.ts";
import { HOSTILE } from "./hostile.ts";

for (const [name, make] of HOSTILE) {
  try {
    parseTorchFile(make(), name);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
}
console.log(`${HOSTILE.length} files`);
