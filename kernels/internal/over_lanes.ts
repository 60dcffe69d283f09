import type { SubgroupHelper } from "../../tensor/kernel.ts";
import none from "./_no_subgroups.wgsl" with { type: "text" };
import tree from "./_over_lanes.wgsl" with { type: "text" };
import subgroups from "./_subgroups.wgsl" with { type: "text" };

/** Helper of shaders whose workgroups have 64 invocations, several of which share a row. */
export const overLanes: SubgroupHelper = {
  without: `${tree}\n${none}`,
  with: `${tree}\n${subgroups}`,
};
