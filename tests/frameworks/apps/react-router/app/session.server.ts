import { reactRouterSession } from "@pagi/session/react-router";
import { sessions } from "./sessions.server";

export const { session, middleware, handleError } = reactRouterSession(sessions);
