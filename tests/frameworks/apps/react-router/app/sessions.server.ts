import type { SessionMiddleware } from "@pagi/session";
import { type Data, sessions as shop } from "../../_shop.ts";
import { sessions as work } from "../../_work.ts";

export type { Data };
export const sessions = (process.env.SUITE ? work : shop) as SessionMiddleware<Data>;
