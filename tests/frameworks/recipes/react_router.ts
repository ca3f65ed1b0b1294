import type { Session, SessionMiddleware } from "@pagi/session";
import { createContext, type MiddlewareFunction, type RouterContextProvider } from "react-router";

export function reactRouterSession<Data extends object>(sessions: SessionMiddleware<Data>) {
  const session = createContext<Session<Data>>();
  const respond = sessions.handler(
    async (_request, opened, context: RouterContextProvider, next: () => Promise<Response>) => {
      context.set(session, opened);
      return await next();
    },
  );
  const middleware: MiddlewareFunction<Response> = ({ request, context }, next) =>
    respond(request, context as RouterContextProvider, next);
  return { session, middleware };
}
