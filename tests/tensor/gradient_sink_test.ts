import { assertEquals } from "@std/assert";
import { linear } from "../../kernels/linear.ts";
import { sum } from "../../kernels/sum.ts";
import { firstOf, type GradientSink } from "../../tensor/gradient_sink.ts";
import { backward } from "../../tensor/backward.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { testGpu } from "../gpu.ts";

const gpu = await testGpu();

/** A sink for one tensor, with what it was asked and offered. */
function sinkFor(tensor: Tensor, slot: Tensor | null): GradientSink & { log: string[] } {
  const log: string[] = [];
  return {
    log,
    slot(other) {
      if (other !== tensor) return null;
      log.push("slot");
      return slot?.view() ?? null;
    },
    take(other, part) {
      if (other !== tensor) return false;
      log.push(part.storage === slot?.storage ? "take there" : "take elsewhere");
      return true;
    },
  };
}

Deno.test("a sink is asked for memory, then offered the gradient; what none takes is returned", async () => {
  const live = gpu.pool.live;
  const kept = gpu.scope(() => {
    const x = gpu.tensor([1, 2, 3, 4], [2, 2]);
    const [w, b, v] = [gpu.tensor([1, 0, -1, 2], [2, 2]), gpu.tensor([5, 7]), gpu.tensor([1, 1], [1, 2])];
    for (const one of [w, b, v]) one.requiresGrad = true;
    const dw = gpu.zeros([2, 2]);
    const [first, second] = [sinkFor(w, dw), sinkFor(b, null)];
    const grads = backward(sum(linear(linear(x, w, b), v)), { sink: firstOf(first, second) });
    assertEquals([first.log, second.log], [["slot", "take there"], ["slot", "take elsewhere"]]);
    assertEquals([...grads.keys()].map((tensor) => tensor === v), [true]);
    assertEquals(gpu.tape.sink, null);
    return { dw, dv: grads.get(v)! };
  });
  assertEquals([...await kept.dw.read()], [4, 6, 4, 6]);
  assertEquals([...await kept.dv.read()], [14, 22]);
  for (const tensor of Object.values(kept)) tensor.dispose();
  assertEquals(gpu.pool.live, live);
});
