import type { SubgroupHelper } from "../../tensor/kernel.ts";
import none from "./_no_subgroups.wgsl" with { type: "text" };
import tree from "./_over_lanes.wgsl" with { type: "text" };
import subgroups from "./_subgroups.wgsl" with { type: "text" };

/** Helper of shaders in whose workgroups of 64 several invocations share a row. */
export const overLanes: SubgroupHelper = {
  without: `${tree}\n${none}`,
  with: `${tree}\n${subgroups}`,
};
