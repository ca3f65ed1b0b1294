import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { announce } from "./_work.ts";

const { handler } = await import("./astro/dist/server/entry.mjs" as string);
const server = createServer(handler);
server.listen(0, "127.0.0.1", () => announce((server.address() as AddressInfo).port));
