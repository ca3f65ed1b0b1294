import { h3Session } from "@pagi/session/h3";
import { defineMiddleware } from "nitro/h3";
import { adminSessions } from "../../../_work.ts";

export const admin = h3Session(adminSessions);

/** In `/inner`, it is the inner one. */
export default defineMiddleware((event, next) =>
  event.url.pathname.startsWith("/inner/") ? admin(event, next) : next()
);
