import type { Session, SessionMiddleware } from "@pagi/session";
import { abortSession, expressSession } from "@pagi/session/express";
import type { Context, Middleware } from "koa";

export function koaSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): Middleware<{ session: Session<Data> }> {
  const session = expressSession(sessions);
  return (ctx, next) =>
    new Promise<void>((resolve, reject) => {
      session(ctx.req, ctx.res, (error) => {
        if (error !== undefined) {
          respondWithError(sessions, ctx, error).catch((error) => ctx.onerror(error)).then(resolve);
        } else {
          ctx.state.session = session.of(ctx.req);
          next().then(resolve, (error) => abortSession(error, ctx.req, ctx.res, reject));
        }
      });
    });
}

async function respondWithError<Data extends object>(
  sessions: SessionMiddleware<Data>,
  { req, res, href }: Context,
  error: unknown,
): Promise<void> {
  const answer = await sessions.answer(error, new Request(href));
  if (res.headersSent) return void req.socket.destroy();
  answer.headers.forEach((value, name) => name === "set-cookie" || res.setHeader(name, value));
  res.statusCode = answer.status;
  res.end(await answer.text());
}
