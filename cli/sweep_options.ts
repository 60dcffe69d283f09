import { METHODS } from "../prune/method.ts";
import { group, type Options } from "./options.ts";
import { pruneOptions } from "./prune_options.ts";

const {
  method: _method,
  target: _target,
  "target-conv": _conv,
  "target-transformer": _transformer,
  seed: _seed,
  out: _out,
  resume: _resume,
  "accept-changes": _accept,
  "dry-run": _dry,
  json: _json,
  ...runOptions
} = pruneOptions;

/** Options of `sweep` that are not options of its runs. */
export const ownOptions = {
  ...group("Sweep", {
    methods: {
      type: "string",
      value: "LIST",
      description: `methods, separated by commas, of ${METHODS.join(", ")} (the control)`,
      computed: { text: "that of the recipe, or mac" },
    },
    targets: {
      type: "string",
      value: "LIST",
      description: "shares to remove, separated by commas; sep-size removes each of both its parts",
      computed: { text: "that of the recipe, or 0.5" },
    },
    seeds: {
      type: "string",
      value: "LIST",
      description: "seeds, separated by commas",
      computed: { text: "that of the recipe, or 0" },
    },
    grid: {
      type: "string",
      value: "GRID",
      description: "values of other options, in all combinations: lr=1e-4,2e-4,distill=0.5,0.9",
    },
    shard: {
      type: "string",
      value: "I/N",
      description: "begin with the runs of part I of N, for several processes or machines on one folder",
    },
    out: {
      type: "path",
      short: "o",
      value: "DIR",
      description: "folder of the sweep; the same command again resumes it",
      computed: { text: "sweep" },
    },
    "dry-run": { type: "flag", description: "list the runs, and estimate the time of those to do" },
    json: { type: "flag", description: "print sweep.json" },
  }),
} as const satisfies Options;

/** Options of `sweep`. */
export const sweepOptions = { ...ownOptions, ...runOptions } as const satisfies Options;
