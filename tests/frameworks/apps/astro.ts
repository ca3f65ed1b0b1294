import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { announce } from "./_work.ts";

const { handler } = await import("./astro/dist/server/entry.mjs" as string);
const server = createServer((req, res) => {
  // The paths of the suite of all adapters are others than the shop's.
  if (process.env.SUITE) req.url = `/work${req.url}`;
  handler(req, res);
});
const port = Number(process.env.PORT ?? 0);
server.listen(port, "127.0.0.1", () => announce((server.address() as AddressInfo).port));
