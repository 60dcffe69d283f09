import { makeCommands } from "../data/synthetic/make_commands.ts";
import { log, waitFor } from "./stderr.ts";

/** The folder of the spoken commands, which are synthesised unless they are in the cache. */
export async function commandsCorpus(): Promise<string> {
  const { dir } = await makeCommands({
    progress: (done, all) =>
      done === all || done % 500 === 0 ? log(`synthesised ${done} of ${all} utterances`) : undefined,
    onWait: waitFor("synthesises the corpus"),
  });
  return dir;
}
