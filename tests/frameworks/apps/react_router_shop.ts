import { createRequestListener } from "./react-router/node_modules/@react-router/node/dist/index.js";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import serveStatic from "serve-static";
import { announce } from "./_work.ts";

const build = await import("./react-router/build/server/index.js" as string);
const pages = createRequestListener({ build });
const files = serveStatic(`${import.meta.dirname}/react-router/build/client`, { index: false });
const server = createServer((req, res) => files(req, res, () => pages(req, res)));
const port = Number(process.env.PORT ?? 0);
server.listen(port, "127.0.0.1", () => announce((server.address() as AddressInfo).port));
