import { sveltekitSession } from "@pagi/session/sveltekit";
import { sessions } from "./sessions.ts";

const session = sveltekitSession(sessions);

export const handle = session.handle;
export const handleError = session.handleError();
