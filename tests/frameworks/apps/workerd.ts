/** Bundles a Cloudflare Worker and serves it with workerd, with a Redis behind HTTP. */
import { anyRedis } from "../../integration/_servers.ts";
import { UpstashBridge } from "../../integration/_upstash.ts";

const [entry] = Deno.args;
const here = import.meta.dirname!;
const bin = `${here}/../node_modules/.bin`;
const folder = await Deno.makeTempDir();
const redis = await anyRedis();
const { url, token } = await UpstashBridge.start(redis.port);

const bundle = ["--bundle", "--format=esm", "--platform=neutral", "--main-fields=module,main"];
const built = await new Deno.Command(`${bin}/esbuild`, {
  args: [`${here}/../${entry}`, ...bundle, `--outfile=${folder}/worker.js`],
  cwd: `${here}/..`,
}).output();
if (!built.success) throw new Error(new TextDecoder().decode(built.stderr));

const bindings = Object.entries({
  SESSION_SECRET: "a test's secret of 32 bytes or more",
  UPSTASH_REDIS_REST_URL: url,
  UPSTASH_REDIS_REST_TOKEN: token,
}).map(([name, text]) => `(name = "${name}", text = ${JSON.stringify(text)})`);
const address = `127.0.0.1:${Deno.env.get("PORT") ?? 0}`;
const config = [
  'using Workerd = import "/workerd/workerd.capnp";',
  "const config :Workerd.Config = (",
  "  services = [",
  '    (name = "main", worker = .worker),',
  '    (name = "internet", network = (allow = ["private"])),',
  "  ],",
  `  sockets = [(name = "http", address = "${address}", http = (), service = "main")],`,
  ");",
  "const worker :Workerd.Worker = (",
  '  modules = [(name = "worker", esModule = embed "worker.js")],',
  '  compatibilityDate = "2026-11-01",',
  `  bindings = [${bindings.join(", ")}],`,
  ");",
];
await Deno.writeTextFile(`${folder}/config.capnp`, config.join("\n"));
// The shell ends workerd when this process ends, because its standard input ends then.
const untilInputEnds = 'workerd=$1; shift; "$workerd" "$@" & cat > /dev/null; kill $!';
const workerd = new Deno.Command("sh", {
  args: ["-c", untilInputEnds, "sh", `${bin}/workerd`, "serve", "config.capnp", "--control-fd=1"],
  cwd: folder,
  stdin: "piped",
  stdout: "piped",
  stderr: "inherit",
}).spawn();
let output = "";
for await (const chunk of workerd.stdout.pipeThrough(new TextDecoderStream())) {
  output += chunk;
  const port = /"port":\s*(\d+)/.exec(output)?.[1];
  if (port !== undefined) console.log(`listening ${port}`);
}
