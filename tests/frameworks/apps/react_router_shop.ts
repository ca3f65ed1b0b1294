import { createRequestListener } from "./react-router/node_modules/@react-router/node/dist/index.js";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { announce } from "./_work.ts";

const build = await import("./react-router/build/server/index.js" as string);
const server = createServer(createRequestListener({ build }));
server.listen(
  Number(process.env.PORT ?? 0),
  "127.0.0.1",
  () => announce((server.address() as AddressInfo).port),
);
