import { assertEquals } from "@std/assert";
import { Adam } from "../../prune/adam.ts";
import { Fixtures } from "../fixtures.ts";
import { assertClose } from "../kernels/check_op.ts";

Deno.test("adamw.safetensors holds for log-alphas and Lagrange multipliers", () => {
  const file = new Fixtures("adamw.safetensors");
  const bound = { rtol: 2e-7, atol: 0 };
  const logAlpha = new Adam(file.nd("log_alpha0").data);
  const lambda = new Adam(file.nd("lambda0").data);
  for (let step = 0; step < 3; step++) {
    const at = `step${step}`;
    const [norm] = file.nd(`${at}.grad_norm`).data;
    const [rate] = file.nd(`${at}.lr_scale`).data;
    const scale = Math.min(1, 10 / (norm! + 1e-6));
    logAlpha.update(file.nd(`${at}.grad.log_alpha`).data, 0.02 * rate!, scale);
    lambda.update(file.nd(`${at}.grad.lambda`).data, -0.02 * rate!, scale);
    for (const [name, adam] of [["log_alpha", logAlpha], ["lambda", lambda]] as const) {
      assertClose(`${at}.${name}`, adam.values, file.nd(`${at}.${name}`).data, bound);
      assertClose(`${at}.${name}.exp_avg`, adam.expAvg, file.nd(`${at}.${name}.exp_avg`).data, bound);
      assertClose(`${at}.${name}.exp_avg_sq`, adam.expAvgSq, file.nd(`${at}.${name}.exp_avg_sq`).data, bound);
    }
  }
  assertEquals([logAlpha.updates, lambda.updates], [3, 3]);
});
