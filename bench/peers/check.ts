/**
 * Runs every case of every peer once after a warm-up and compares their values:
 * `deno run -A --lock=dev.lock bench/peers/check.ts [part of a case's name]`. The exit status is 1 if two peers disagree.
 *
 * @module
 */

import { relativeDifference, TOLERANCE } from "../compare.ts";
import { load as loadJax } from "./jax.ts";
import type { Peer, PeerCase } from "./peer.ts";
import { load as loadTfjs } from "./tfjs.ts";

const only = Deno.args[0] ?? "";
const peers: Peer[] = [];
for (const load of [loadJax, loadTfjs]) {
  const peer = await load();
  console.log(`${peer.name} ${peer.version} on ${peer.adapter}`);
  peers.push(peer);
}

let agreed = true;
const names = new Set(peers.flatMap((peer) => [...peer.cases.keys()]));
for (const name of names) {
  if (!name.includes(only)) continue;
  const results: { peer: string; values: Float32Array }[] = [];
  for (const peer of peers) {
    const make = peer.cases.get(name);
    if (make === undefined) {
      console.log(`${name}  ${peer.name}: not implemented`);
      continue;
    }
    const { line, values } = await attempt(make);
    console.log(`${name}  ${peer.name}: ${line}`);
    if (values !== undefined) results.push({ peer: peer.name, values });
  }
  const [one, other] = results;
  if (one === undefined || other === undefined) continue;
  const difference = relativeDifference(one.values, other.values);
  const agrees = difference <= TOLERANCE;
  agreed &&= agrees;
  const verdict = agrees ? "agree" : "DISAGREE";
  console.log(`${name}  ${verdict}: largest relative difference ${difference.toExponential(1)}`);
  if (!agrees) { for (const { peer, values } of results) console.log(`  ${peer}: ${values.join(" ")}`); }
}
Deno.exit(agreed ? 0 : 1);

async function attempt(
  make: () => Promise<PeerCase>,
): Promise<{ line: string; values?: Float32Array | undefined }> {
  let peerCase: PeerCase | undefined;
  try {
    peerCase = await make();
    const warm = await time(peerCase);
    const line = `${await time(peerCase)} ms (first ${warm} ms)`;
    return { line, values: await peerCase.check?.() };
  } catch (error) {
    return { line: `failed: ${error instanceof Error ? error.message : error}` };
  } finally {
    peerCase?.dispose();
  }
}

async function time(peerCase: PeerCase): Promise<string> {
  const start = performance.now();
  await peerCase.run(1);
  return (performance.now() - start).toFixed(1);
}
