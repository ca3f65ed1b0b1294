import { fail, refuse } from "./failing.ts";
import { server as shop } from "./shop.ts";

export const server = { ...shop, fail, refuse };
