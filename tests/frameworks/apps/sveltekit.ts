import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { announce } from "./_work.ts";

const server = createServer();
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", async () => {
  const { port } = server.address() as AddressInfo;
  process.env.ORIGIN = `http://127.0.0.1:${port}`;
  const { handler } = await import("./sveltekit/build/handler.js" as string);
  server.on("request", handler);
  announce(port);
});
