/** Limits that operations plan with. */
export interface GpuLimits {
  /** Largest storage binding, in bytes. */
  readonly bindingBytes: number;
  /** Largest number of workgroups along one dimension of a dispatch. */
  readonly workgroups: number;
  /** Largest width and height of a texture, in texels. */
  readonly texture: number;
}

/** Options of {@linkcode requestGpu}. */
export interface GpuOptions {
  /** Entry point of WebGPU: `navigator.gpu` unless given. In Node it is to be given, as `create([])` of the npm package `webgpu`. */
  readonly webgpu?: GPU;
  /** Which adapter to prefer where there are several; the browser or system chooses unless given. */
  readonly powerPreference?: GPUPowerPreference;
  /** Lower limits than the adapter's, for tests of tensors that exceed a binding. */
  readonly limits?: Partial<GpuLimits>;
  /** Whether to measure the time of every dispatch with timestamp queries, if the adapter has them; false unless given. */
  readonly profile?: boolean;
  /**
   * Whether kernels add and compare within subgroups, where the device has them: faster reductions, whose sums are rounded
   * differently. Unless given, where the adapter lists them. Browsers do; Deno 2.9 has them, but does not list them. With `false`,
   * GEMMs of software adapters do not share loads in subgroups either, which are slower then and have the same results.
   */
  readonly subgroups?: boolean;
  /** Whether to choose kernels as for an adapter that computes on the CPU; decided by the name of its driver unless given. */
  readonly software?: boolean;
}
