import { SessionMiddleware } from "@pagi/session";

/** The data of a session. */
export interface Data {
  name: string;
  items: string[];
}

export const sessions = new SessionMiddleware<Data>({ secret: process.env.SESSION_SECRET! });
