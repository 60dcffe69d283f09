import { makeCommands } from "../data/synthetic/make_commands.ts";
import { cleaningUp } from "./long_run.ts";
import { log, waitFor } from "./stderr.ts";

/** The folder of the spoken commands, which are synthesised unless they are in the cache. */
export async function commandsCorpus(): Promise<string> {
  const progress = (done: number, all: number) =>
    done === all || done % 500 === 0 ? log(`synthesised ${done} of ${all} utterances`) : undefined;
  const onWait = waitFor("synthesises the corpus");
  const { dir } = await cleaningUp((signal) => makeCommands({ progress, onWait, signal }));
  return dir;
}
