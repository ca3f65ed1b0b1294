/** A server for the tests, over HTTP or HTTPS, under any name that the browser is told leads here. */

/** What answers requests. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** One request as it came. */
export interface Seen {
  method: string;
  path: string;
  cookie: string | null;
}

/** A server, and what came to it. */
export interface Site extends AsyncDisposable {
  /** The origin under a host's name. */
  at(host: string): string;
  /** The requests so far, without those for the icon. */
  readonly seen: Seen[];
}

/** Serves `handler` over HTTP. */
export function serveHttp(handler: Handler): Site {
  return serve(handler, "http", {});
}

/** Serves `handler` over HTTPS, and so over HTTP/2. */
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
    // The browser has gone by then, but for connections that it keeps in store.
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** The path of a page with this content, which no session is opened for. */
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
