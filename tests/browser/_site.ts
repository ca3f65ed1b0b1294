/** A test server over HTTP or HTTPS, for every host name that Chromium maps to this machine. */

/** A function that responds to requests. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** A request that the server received. */
export interface Seen {
  method: string;
  path: string;
  cookie: string | null;
}

/** A server and the requests that it received. */
export interface Site extends AsyncDisposable {
  /** Returns the origin for a host name. */
  at(host: string): string;
  /** The requests so far, except those for the icon. */
  readonly seen: Seen[];
}

/** Serves `handler` over HTTP. */
export function serveHttp(handler: Handler): Site {
  return serve(handler, "http", {});
}

/** Serves `handler` over HTTPS, which Chromium uses with HTTP/2. */
export async function serveHttps(handler: Handler): Promise<Site> {
  return serve(handler, "https", await (certificate ??= makeCertificate()));
}

function serve(handler: Handler, scheme: string, keys: Certificate | Record<never, never>): Site {
  const seen: Seen[] = [];
  const server = Deno.serve({
    ...keys,
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: (error) => {
      console.error(error);
      return new Response(null, { status: 500 });
    },
  }, (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/favicon.ico") return new Response(null, { status: 404 });
    seen.push({ method: request.method, path: pathname, cookie: request.headers.get("cookie") });
    return pathname === "/page" ? pageOf(searchParams) : handler(request);
  });
  return {
    at: (host) => `${scheme}://${host}:${server.addr.port}`,
    seen,
    // The browser is closed by then and may have left idle connections.
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Returns the path of a page with this content. The page opens no session. */
export function page(content: string): string {
  return `/page?${new URLSearchParams({ content })}`;
}

function pageOf(parameters: URLSearchParams): Response {
  const type = "text/html; charset=utf-8";
  return new Response(parameters.get("content"), { headers: { "content-type": type } });
}

interface Certificate {
  key: string;
  cert: string;
}

let certificate: Promise<Certificate> | undefined;

async function makeCertificate(): Promise<Certificate> {
  const dir = await Deno.makeTempDir();
  const args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 " +
    "-subj /CN=localhost -keyout key.pem -out cert.pem -addext";
  const names =
    "subjectAltName=DNS:localhost,DNS:shop.test,DNS:*.shop.test,DNS:one.test,DNS:other.test";
  const openssl = new Deno.Command("openssl", {
    args: [...args.split(" "), names],
    cwd: dir,
    stderr: "piped",
  });
  const { success, stderr } = await openssl.output();
  if (!success) throw new Error(`openssl failed: ${new TextDecoder().decode(stderr)}`);
  const [key, cert] = await Promise.all(
    ["key.pem", "cert.pem"].map((name) => Deno.readTextFile(`${dir}/${name}`)),
  );
  await Deno.remove(dir, { recursive: true });
  return { key: key!, cert: cert! };
}
