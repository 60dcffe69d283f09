// Requests to a hub, with redirects, tokens and errors.
import { printable } from "../checkpoint/json_fields.ts";
import { HubError, hubHome, textOf } from "./cache.ts";

/** Where a hub is, and who asks. */
export interface HubAccess {
  /** Address without a slash at the end, such as `https://huggingface.co`. */
  readonly endpoint: string;
  readonly token: string | undefined;
  /** Milliseconds after which a silent connection is given up. */
  readonly timeout: number;
}

/**
 * Where the hub is and who asks, by the options, else by the environment.
 *
 * @throws {HubError} If the address is none.
 */
export async function accessOf(
  options: { readonly endpoint?: string; readonly token?: string; readonly timeout?: number },
): Promise<HubAccess> {
  const endpoint = options.endpoint ?? (Deno.env.get("HF_ENDPOINT") || "https://huggingface.co");
  if (!URL.canParse(endpoint)) {
    throw new HubError(`Cannot download as HF_ENDPOINT must be an address: ${printable(endpoint)}`);
  }
  const token = options.token ?? (Deno.env.get("HF_TOKEN") || await textOf(tokenPath()) || undefined);
  return {
    endpoint: endpoint.replace(/\/+$/, ""),
    token: token?.trim() || undefined,
    timeout: options.timeout ?? 20_000,
  };
}

function tokenPath(): string {
  return Deno.env.get("HF_TOKEN_PATH") || `${hubHome()}/token`;
}

/** The network did not answer, or stopped; worth another try. */
export class NetworkError extends HubError {
  override name = "NetworkError";
}

/** An answer and what the redirects to it said. */
export interface HubAnswer {
  readonly response: Response;
  /** A header of this answer, or of the redirects to it: a hub tells size and hash before it sends elsewhere. */
  header(name: string): string | null;
}

const MOST_REDIRECTS = 10;

/**
 * Asks a hub.
 *
 * @param url Address at the hub.
 * @param what What fails if this does, such as "download a/b".
 * @param away Whether to follow redirects to other servers, which the token is not shown to.
 * @throws {NetworkError} If the server cannot be reached, or is too busy.
 * @throws {HubError} If it refuses.
 */
export async function ask(
  access: HubAccess,
  url: string,
  what: string,
  { method = "GET", headers = {}, away = true }: {
    method?: "GET" | "HEAD";
    headers?: Record<string, string>;
    away?: boolean;
  } = {},
): Promise<HubAnswer> {
  const own = new URL(access.endpoint).origin;
  const seen: Response[] = [];
  const header = (name: string) =>
    seen.map(({ headers }) => headers.get(name)).find((value) => value) ?? null;
  let address = new URL(url);
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    const secret = access.token !== undefined && address.origin === own;
    const response = await reach(access, address, what, {
      method,
      redirect: "manual",
      headers: {
        // Sizes and ranges are those of the file itself.
        "accept-encoding": "identity",
        "user-agent": "espalier",
        ...headers,
        ...(secret ? { authorization: `Bearer ${access.token}` } : {}),
      },
    });
    seen.push(response);
    const location = response.headers.get("location");
    const moved = response.status >= 301 && response.status <= 308 && location !== null;
    const next = moved ? new URL(location, address) : address;
    if (!moved || !away && next.origin !== own) {
      if (!response.ok && !moved && response.status !== 416) await refuse(access, response, what);
      return { response, header };
    }
    await response.body?.cancel();
    address = next;
  }
  throw new HubError(`Cannot ${what} as ${own} must answer: it sends on ${MOST_REDIRECTS} times`);
}

/** One request. Only its headers are waited for here. */
async function reach(access: HubAccess, url: URL, what: string, init: RequestInit): Promise<Response> {
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort(new Error(`no answer in ${access.timeout / 1000} s`)),
    access.timeout,
  );
  try {
    return await fetch(url, { ...init, signal: abort.signal });
  } catch (error) {
    const reason = printable(error instanceof Error ? error.message : String(error));
    throw new NetworkError(`Cannot ${what} as ${url.host} must be reachable: ${reason}`);
  } finally {
    clearTimeout(timer);
  }
}

async function refuse(access: HubAccess, response: Response, what: string): Promise<never> {
  await response.body?.cancel();
  const { status } = response;
  const code = response.headers.get("x-error-code");
  const said = response.headers.get("x-error-message");
  const found = `${status}${said ? `, ${printable(said)}` : ""}`;
  const token = access.token === undefined ? "no token is set (HF_TOKEN)" : "the token may not";
  if (code === "GatedRepo") {
    throw new HubError(
      `Cannot ${what} as its licence must be accepted at ${access.endpoint}: ${token}: ${found}`,
    );
  }
  if (status === 404 || code === "RepoNotFound") {
    throw new HubError(
      `Cannot ${what} as ${access.endpoint} must have it: it does not, or not for you: ${found}`,
    );
  }
  if (status === 401 || status === 403) {
    throw new HubError(`Cannot ${what} as ${access.endpoint} must allow it: ${token}: ${found}`);
  }
  const busy = status === 408 || status === 429 || status >= 500;
  throw new (busy ? NetworkError : HubError)(
    `Cannot ${what} as ${access.endpoint} must answer: it says ${found}`,
  );
}
