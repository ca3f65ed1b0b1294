import * as shop from "./shop_hooks.ts";
import * as suite from "./suite_hooks.ts";

export const { handle, handleError } = process.env.SUITE ? suite : shop;
