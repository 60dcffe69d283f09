import type { Gpu } from "../../tensor/gpu.ts";
import { testGpu } from "../gpu.ts";

/**
 * A device whose bindings hold 16,384 elements and whose dispatches fold at 16 workgroups, so that small tensors take windows
 * as large ones do elsewhere.
 */
export function narrowGpu(): Promise<Gpu> {
  return testGpu({ limits: { bindingBytes: 65536, workgroups: 16 } });
}
