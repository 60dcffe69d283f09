// Downloads from a hub with each of its faults, for a test that measures memory: a process apart from the server.
import { fetchModel, HubError } from "../../../model/hub/fetch_model.ts";

/** What a download came to. */
export interface Outcome {
  readonly fault: string;
  /** Message of the error; null if the download succeeded. */
  readonly error: string | null;
  /** Whether the error is one of the hub. */
  readonly isHubError: boolean;
  /** Peak of the resident memory of the process. */
  readonly memory: number;
  readonly seconds: number;
}

if (import.meta.main) {
  const [cache, ...downloads] = Deno.args; // each a time limit in milliseconds and an endpoint
  let memory = 0;
  const poll = setInterval(() => memory = Math.max(memory, Deno.memoryUsage().rss), 5);
  for (const [timeout, endpoint] of downloads.map((words) => words.split(" ") as [string, string])) {
    const fault = decodeURIComponent(endpoint.slice(endpoint.lastIndexOf("/") + 1));
    const start = performance.now();
    memory = 0;
    const options = {
      endpoint,
      cacheFolder: `${cache}/${fault}`,
      token: "hf_secret",
      timeout: Number(timeout),
      retryDelay: 1,
    };
    const error = await fetchModel("org/name", options).then(() => null, (error) => error);
    const outcome: Outcome = {
      fault,
      error: error && error.message,
      isHubError: error instanceof HubError,
      memory: Math.max(memory, Deno.memoryUsage().rss),
      seconds: (performance.now() - start) / 1000,
    };
    console.log(JSON.stringify(outcome));
  }
  clearInterval(poll);
}
