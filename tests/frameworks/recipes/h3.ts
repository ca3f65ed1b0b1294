import type { SessionMiddleware } from "@pagi/session";
import { type H3Event, type Middleware, toResponse } from "h3";

export function h3Session<Data extends object>(sessions: SessionMiddleware<Data>): Middleware {
  const respond = sessions.handler(
    async (_request, session, event: H3Event, next: () => unknown) => {
      Object.assign(event.context, { session });
      return await toResponse(await next(), event);
    },
  );
  return (event, next) => respond(event.req, event, next);
}
