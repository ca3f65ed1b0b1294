import type { Session, SessionMiddleware } from "@pagi/session";
import type { Middleware } from "koa";

export function koaSession<Data extends object>(
  sessions: SessionMiddleware<Data>,
): Middleware<{ session: Session<Data> }> {
  return async (ctx, next) => {
    const open = await sessions.open(ctx.req);
    ctx.state.session = open.session;
    try {
      await open.run(next);
    } catch (error) {
      await open.abort(error);
      throw error;
    }
    try {
      await open.commit(ctx.headerSent ? undefined : ctx.response);
    } catch (error) {
      for (const name of Object.keys(ctx.response.headers)) ctx.remove(name);
      ctx.body = await sessions.answer(error, new Request(ctx.href));
    }
  };
}
