// HTTP requests to a hub: redirects, access tokens and errors.
import { printable } from "../../files/printable.ts";
import { HubError, hubHome, textOf } from "./cache.ts";

/** URL of the Hugging Face hub. */
export const DEFAULT_ENDPOINT = "https://huggingface.co";

/** Address of a hub, and the credentials for it. */
export interface HubAccess {
  /** URL without a slash at the end, such as `https://huggingface.co`. */
  readonly endpoint: string;
  readonly token: string | undefined;
  /** Milliseconds without data after which a connection is given up. */
  readonly timeout: number;
  /** Milliseconds before the first retry. */
  readonly retryDelay: number;
}

/**
 * Address and credentials from the options, else from the environment.
 *
 * @throws {HubError} If the address is not an http or https URL.
 */
export async function accessOf(
  options: {
    readonly endpoint?: string;
    readonly token?: string;
    readonly timeout?: number;
    readonly retryDelay?: number;
  },
): Promise<HubAccess> {
  const endpoint = options.endpoint ?? (Deno.env.get("HF_ENDPOINT") || DEFAULT_ENDPOINT);
  if (!isWeb(URL.parse(endpoint))) {
    throw new HubError(
      `Cannot download as HF_ENDPOINT must be an http or https URL: ${printable(endpoint)}`,
    );
  }
  const token = options.token ?? (Deno.env.get("HF_TOKEN") || await textOf(tokenPath()) || undefined);
  return {
    endpoint: endpoint.replace(/\/+$/, ""),
    token: token?.trim() || undefined,
    timeout: options.timeout ?? 10_000,
    retryDelay: options.retryDelay ?? 500,
  };
}

function isWeb(url: URL | null): url is URL {
  return url?.protocol === "https:" || url?.protocol === "http:";
}

function tokenPath(): string {
  return Deno.env.get("HF_TOKEN_PATH") || `${hubHome()}/token`;
}

/** The server cannot be reached, is busy, or the connection was lost; a retry may succeed. */
export class NetworkError extends HubError {
  override name = "NetworkError";
}

/** A response and the headers of the redirects that led to it. */
export interface HubResponse {
  readonly response: Response;
  /** A header of this response or of its redirects: a hub reports size and hash before it redirects. */
  header(name: string): string | null;
}

const MAX_REDIRECTS = 10;

/**
 * Sends a request to a hub.
 *
 * @param url URL at the hub.
 * @param task What the request is for, for error messages, such as "download a/b".
 * @param followOther Whether to follow redirects to other servers, which do not get the token.
 * @throws {NetworkError} If the server cannot be reached or is busy.
 * @throws {HubError} If the hub refuses, or redirects to an address that is not followed.
 */
export async function request(
  access: HubAccess,
  url: string,
  task: string,
  { method = "GET", headers = {}, followOther = true }: {
    method?: "GET" | "HEAD";
    headers?: Record<string, string>;
    followOther?: boolean;
  } = {},
): Promise<HubResponse> {
  const hubOrigin = new URL(access.endpoint).origin;
  const seen: Response[] = [];
  const header = (name: string) =>
    seen.map(({ headers }) => headers.get(name)).find((value) => value) ?? null;
  let address = new URL(url);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const withToken = access.token !== undefined && address.origin === hubOrigin;
    const response = await send(access, address, task, {
      method,
      redirect: "manual",
      headers: {
        // Sizes and ranges refer to the uncompressed file.
        "accept-encoding": "identity",
        "user-agent": "espalier",
        ...headers,
        ...(withToken ? { authorization: `Bearer ${access.token}` } : {}),
      },
    });
    seen.push(response);
    const location = response.headers.get("location");
    const moved = response.status >= 301 && response.status <= 308 && location !== null;
    const next = moved ? redirectTarget(location, address, task) : address;
    if (!moved || !followOther && next.origin !== hubOrigin) {
      if (!response.ok && !moved && response.status !== 416) await refuse(access, response, task);
      return { response, header };
    }
    await response.body?.cancel();
    address = next;
  }
  throw new HubError(`Cannot ${task} from ${hubOrigin}: more than ${MAX_REDIRECTS} redirects`);
}

/**
 * Target of a redirect.
 *
 * @param location The header, which may be relative.
 * @param from URL that redirects.
 * @throws {HubError} If it is malformed, not http or https, or http from https.
 */
export function redirectTarget(location: string, from: URL, task: string): URL {
  const fail = (rule: string) =>
    new HubError(
      `Cannot ${task} as a redirect must ${rule}: ${from.host} redirects to ${printable(location)}`,
    );
  const target = URL.parse(location, from);
  if (!isWeb(target)) throw fail("lead to an http or https URL");
  if (from.protocol === "https:" && target.protocol === "http:") throw fail("not lead from https to http");
  return target;
}

/** Sends one request and waits for the headers of the response. */
async function send(access: HubAccess, url: URL, task: string, init: RequestInit): Promise<Response> {
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort(new Error(`no response in ${access.timeout / 1000} s`)),
    access.timeout,
  );
  try {
    return await fetch(url, { ...init, signal: abort.signal });
  } catch (error) {
    const reason = printable(error instanceof Error ? error.message : String(error));
    throw new NetworkError(`Cannot ${task}: ${url.host} cannot be reached, ${reason}`);
  } finally {
    clearTimeout(timer);
  }
}

async function refuse(access: HubAccess, response: Response, task: string): Promise<never> {
  await response.body?.cancel();
  const { status } = response;
  const code = response.headers.get("x-error-code");
  const message = response.headers.get("x-error-message");
  const answer = `HTTP ${status}${message ? `, ${printable(message)}` : ""}`;
  const hint = access.token === undefined ? " (set HF_TOKEN)" : " (HF_TOKEN has no access)";
  const fail = (reason: string) => new HubError(`Cannot ${task}: ${reason}: ${answer}`);
  if (code === "GatedRepo") throw fail(`accept the licence at ${access.endpoint} first${hint}`);
  if (status === 404 || code === "RepoNotFound") {
    throw fail(`not found at ${access.endpoint}, or private${hint}`);
  }
  if (status === 401 || status === 403) throw fail(`${access.endpoint} denies access${hint}`);
  const isBusy = status === 408 || status === 429 || status >= 500;
  throw new (isBusy ? NetworkError : HubError)(`Cannot ${task}: ${access.endpoint} answers ${answer}`);
}
