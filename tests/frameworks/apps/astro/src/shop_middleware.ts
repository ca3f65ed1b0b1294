import { astroSession } from "@pagi/session/astro";
import { sessions } from "./sessions.ts";

export const onRequest = astroSession(sessions);
