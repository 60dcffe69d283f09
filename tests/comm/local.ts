// Processes of a job within one: their operations meet in memory.
import type { Communicator, Reduction } from "../../comm/communicator.ts";

type Values = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

interface Meeting {
  readonly all: Values[];
  readonly done: PromiseWithResolvers<void>;
}

/** As many communicators as processes. Values are added in the order of the ranks. */
export function localCommunicators(size: number): Communicator[] {
  const meetings: Meeting[] = [];
  const counts = new Array<number>(size).fill(0);
  const meet = async (rank: number, values: Values, combine: (all: readonly Values[]) => Values) => {
    const index = counts[rank]!++;
    const meeting = meetings[index] ??= { all: [], done: Promise.withResolvers<void>() };
    meeting.all[rank] = values;
    if (meeting.all.filter((one) => one !== undefined).length === size) {
      const result = combine(meeting.all);
      for (const values of meeting.all) values.set(result);
      meeting.done.resolve();
    }
    await meeting.done.promise;
  };
  const combined = (reduction: Reduction) => (all: readonly Values[]) =>
    all.slice(1).reduce<Values>((sum, values) => {
      values.forEach((x, i) => sum[i] = reduction === "sum" ? sum[i]! + x : Math.max(sum[i]!, x));
      return sum;
    }, all[0]!.slice());
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    name: "memory",
    allReduce: (values, reduction) => meet(rank, values, combined(reduction)),
    broadcast: (values) => meet(rank, values, ([first]) => first!.slice()),
    barrier: () => meet(rank, new Float32Array(0), ([first]) => first!),
    abort: () => {},
    close: () => Promise.resolve(),
  }));
}
