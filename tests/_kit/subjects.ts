/** Browsers that sign in, for the tests of a subject's sessions. */
import { cookieOf, requestWith, rig as baseRig } from "./helpers.ts";

export const SECRET = "a secret of 32 bytes, or of more";

/** Sets up a middleware and browsers that sign in. */
export function rig(options: Parameters<typeof baseRig>[0] = {}) {
  const base = baseRig(options);
  const { sessions } = base;
  /** Signs in with a new browser, or with the one that has `cookie`. */
  const signIn = async (subject: string, device = "", cookie = "") => {
    const response = await sessions.run(requestWith({ cookie }), (session) => {
      session.subject = subject;
      session.set("device", device);
      return new Response();
    });
    return cookieOf(response);
  };
  const rotate = async (cookie: string) =>
    cookieOf(
      await sessions.run(requestWith({ cookie }), (session) => {
        session.regenerate();
        return new Response();
      }),
    );
  const subjectOf = async (cookie: string) =>
    (await sessions.load(requestWith({ cookie })))?.subject;
  const devices = async (subject: string) =>
    (await sessions.list(subject)).map(({ session }) => session.get("device")).sort();
  return { ...base, signIn, rotate, subjectOf, devices };
}

/** Returns the ID in a cookie. */
export function idOf(cookie: string): string {
  return cookie.split("=")[1]!;
}
