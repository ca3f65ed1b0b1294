import { tanstackStartSession } from "@pagi/session/tanstack-start";
import { createCsrfMiddleware, createMiddleware, createStart } from "@tanstack/react-start";
import { sessions } from "./sessions.ts";

const { handle, watch } = tanstackStartSession(sessions);

/** Opens the session of each request. */
export const requests = createMiddleware().server(({ request, next }) =>
  handle(request, (session) => next({ context: { session } }))
);

/** Tells the session what a server function throws. */
const functions = createMiddleware({ type: "function" })
  .middleware([requests])
  .server(({ context, next }) => watch(context.session, next));

const csrf = createCsrfMiddleware({
  filter: ({ handlerType }) => handlerType === "serverFn",
});

export const startInstance = createStart(() => ({
  requestMiddleware: [csrf, requests],
  functionMiddleware: [functions],
}));
