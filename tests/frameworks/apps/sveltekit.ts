import type { AddressInfo } from "node:net";
import { createServer } from "vite";
import { announce } from "./_work.ts";

const root = `${import.meta.dirname}/sveltekit`;
process.chdir(root);
const server = await createServer({
  root,
  server: { host: "127.0.0.1", port: 0 },
  logLevel: "error",
});
await server.listen();
announce((server.httpServer!.address() as AddressInfo).port);
