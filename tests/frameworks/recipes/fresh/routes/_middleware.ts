import type { Context } from "fresh";
import { sessions } from "../sessions.ts";
import { define, type State } from "../utils.ts";

const respond = sessions.handler((_request, session, ctx: Context<State>) => {
  ctx.state.session = session;
  return ctx.next();
});

export default define.middleware((ctx) => respond(ctx.req, ctx));
