import { admin } from "./3.admin_inside.ts";
import { defineMiddleware } from "nitro/h3";

/** In `/outer`, the admin's session is the outer one. */
export default defineMiddleware((event, next) =>
  event.url.pathname.startsWith("/outer/") ? admin(event, next) : next()
);
