import type { SubgroupHelper } from "../../tensor/kernel.ts";
import { preprocess } from "../gemm/preprocess.ts";
import source from "./_over_lanes.wgsl" with { type: "text" };

/** Helper of shaders whose workgroups have 64 invocations, several of which share a row. */
export const overLanes: SubgroupHelper = {
  without: preprocess(source, { SUBGROUPS: false }),
  with: preprocess(source, { SUBGROUPS: true }),
};
