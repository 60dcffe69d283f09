import type { BindGroups } from "./bind_groups.ts";
import type { Commands } from "./commands.ts";
import type { DeviceErrors } from "./device_errors.ts";
import type { Dispatch } from "./dispatch.ts";
import type { Kernel } from "./kernel.ts";
import type { Pipeline, PipelineCache } from "./pipelines.ts";
import type { UniformRing } from "./uniforms.ts";

/** What a {@linkcode Dispatcher} works with. */
export interface DispatcherOptions {
  /** Commands that dispatches are added to. */
  readonly commands: Commands;
  /** Errors of the device. */
  readonly errors: DeviceErrors;
  /** Bind groups of the device. */
  readonly groups: BindGroups;
  /** Compiled shaders. */
  readonly pipelines: PipelineCache;
  /** `Params` of the recorded dispatches. */
  readonly uniforms: UniformRing;
  /** Largest number of workgroups along one dimension. */
  readonly workgroups: number;
  /** Submits the recorded commands. */
  readonly flush: () => void;
}

/** Records dispatches of shaders: pipeline, bind group and `Params` of each. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  /** Pass and pipeline of the last dispatch. */
  #pass: GPUComputePassEncoder | null = null;
  #pipeline: Pipeline | null = null;
  /** Offset of `Params` in the uniforms. */
  readonly #offset = new Uint32Array(1);

  /** @param options Parts of the device. */
  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Records one dispatch; see {@linkcode Gpu.run}. */
  run(kernel: Kernel, dispatch: Dispatch): void {
    const { commands, errors, groups, pipelines, uniforms, workgroups: most, flush } = this.#options;
    const { entry = "main", bind, params = {}, constants = {}, workgroups } = dispatch;
    errors.throwIfLost(`run ${kernel.name}`);
    if (workgroups <= 0) return;
    if (!uniforms.fits(kernel)) flush();
    const pipeline = pipelines.get(kernel, entry, constants);
    const group = groups.get(kernel, pipeline, bind, commands.submission);
    const across = Math.min(workgroups, most);
    const down = Math.ceil(workgroups / across);
    if (down > most) {
      throw new RangeError(
        `Cannot run ${kernel.name} as a dispatch has at most ${most}² workgroups: ${workgroups}`,
      );
    }
    if (pipeline.hasParams) this.#offset[0] = uniforms.push(kernel, params);
    const pass = commands.pass(pipeline.label);
    if (this.#pass !== pass || this.#pipeline !== pipeline) pass.setPipeline(pipeline.pipeline);
    this.#pass = pass;
    this.#pipeline = pipeline;
    pass.setBindGroup(0, group, this.#offset, 0, pipeline.hasParams ? 1 : 0);
    pass.dispatchWorkgroups(across, down);
  }
}
