import type { AddressInfo } from "node:net";
import { app } from "../recipes/express_app.ts";
import { announce } from "./_work.ts";

const server = app.listen(0, () => announce((server.address() as AddressInfo).port));
