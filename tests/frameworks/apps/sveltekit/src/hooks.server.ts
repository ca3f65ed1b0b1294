import { sessions } from "./sessions.ts";
import type { Handle } from "@sveltejs/kit";

const respond = sessions.handler(
  (_request, session, { event, resolve }: Parameters<Handle>[0]) => {
    event.locals.session = session;
    return resolve(event);
  },
);

export const handle: Handle = (input) => respond(input.event.request, input);
