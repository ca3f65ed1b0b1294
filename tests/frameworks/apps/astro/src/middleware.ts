import * as shop from "./shop_middleware.ts";
import * as suite from "./suite_middleware.ts";

export const { onRequest } = process.env.SUITE ? suite : shop;
