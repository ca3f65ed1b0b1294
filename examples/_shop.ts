/** The shop's routes. Each gets the session beside the request; none knows where it is kept. */
import type { SessionMiddleware } from "../mod.ts";
import { TEAS, type Visit, withMore } from "./_catalogue.ts";
import { deviceOf, devicesPage } from "./_devices.ts";
import { messagePage, page } from "./_layout.ts";
import { shopPage } from "./_page.ts";
import { type Respond, StagedFailure, Trail } from "./_trail.ts";

/** A form with more than this is none of ours. In characters. */
const MAX_FORM = 2000;
const MAX_NAME = 40;

/** What the handlers need beside a request and its session. */
export interface ShopOptions {
  sessions: SessionMiddleware<Visit>;
  trail: Trail;
  now: () => number;
  /** Whether the store can say which sessions a user has. */
  canList: boolean;
}

/** What `Session` does in a web app, one short handler each. */
export function shop({ sessions, trail, now, canList }: ShopOptions): Map<string, Respond> {
  const home: Respond = (request, session) => {
    // Coming back from a form is no new visit.
    if (!session.exists("flash")) session.update("visits", (visits = 0) => visits + 1);
    return look(request, session);
  };

  const look: Respond = (_request, session) => {
    const flash = session.get("flash", undefined);
    if (flash !== undefined) session.delete("flash");
    return page(() =>
      shopPage({ session, steps: trail.of(Trail.keyOf(session)), now: now(), flash })
    );
  };

  const signedOut: Respond = (request, session) => {
    const was = new URL(request.url).searchParams.get("was") ?? "";
    return page(() =>
      messagePage(
        "You are signed out",
        "The session is gone, and so is the cookie. The old id opens nothing any more.",
        [...trail.of(Trail.keyOf(session)), ...trail.of(was)],
      )
    );
  };

  const devices: Respond = async (_request, session) => {
    const { subject } = session;
    if (subject === undefined) return seeOther("/");
    const listed = canList ? await sessions.list(subject, { current: session }) : undefined;
    return page(() => devicesPage(session.get("user", subject), listed, now()));
  };

  const signOutDevice: Respond = async (request, session) => {
    const hash = (await formOf(request))?.get("session");
    // Of the user's own sessions only: another's hash ends nothing.
    if (session.subject !== undefined && hash) await sessions.destroyListed(session.subject, hash);
    return seeOther("/devices");
  };

  const signOutElsewhere: Respond = async (_request, session) => {
    const { subject } = session;
    if (subject !== undefined) await sessions.destroyAll(subject, { except: session });
    return seeOther("/devices");
  };

  return new Map([
    ["GET /", home],
    ["GET /look", look],
    ["GET /signed-out", signedOut],
    ["GET /devices", devices],
    ["POST /devices/sign-out", signOutDevice],
    ["POST /devices/sign-out-elsewhere", signOutElsewhere],
    ["POST /sign-in", signIn],
    ["POST /sign-out", signOut],
    ["POST /cart", changeCart],
    ["POST /new-id", newId],
    ["POST /fail", fail],
  ]);
}

const signIn: Respond = async (request, session) => {
  const name = (await formOf(request))?.get("name")?.trim().slice(0, MAX_NAME);
  if (name === undefined || name === "") return refusal("A name is missing.");
  // A new id whenever rights change: one that was planted before the sign-in is worth nothing.
  session.regenerate().set({
    user: name,
    device: deviceOf(request.headers.get("user-agent")),
    flash: `Welcome, ${name}. Your session has a new id.`,
  });
  // Whose session it is, for the list of where he is signed in.
  session.subject = name.toLowerCase();
  return seeOther("/");
};

const signOut: Respond = (_request, session) => {
  session.destroy();
  return seeOther(`/signed-out?was=${Trail.keyOf(session)}`);
};

const changeCart: Respond = async (request, session) => {
  const form = await formOf(request);
  const [added, taken] = [form?.get("add"), form?.get("take")];
  const key = added ?? taken ?? "";
  const tea = TEAS.get(key);
  if (tea === undefined) return refusal("There is no such tea.");
  // A function, not a value: if another tab changes the cart meanwhile, it runs on what that left.
  session.update("cart", (cart) => withMore(cart, key, added ? 1 : -1));
  session.set("flash", added ? `${tea.name} is in your cart.` : `One ${tea.name} less.`);
  return seeOther("/");
};

const newId: Respond = (_request, session) => {
  session.regenerate().set("flash", "Your session has a new id.");
  return seeOther("/");
};

const fail: Respond = (_request, session) => {
  session.set("user", "somebody else").delete("cart");
  throw new StagedFailure("The handler failed after it had changed the session");
};

/** After a form, the browser is sent on with GET, so that a reload repeats nothing. */
function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { location } });
}

function refusal(text: string): Response {
  return page(() => messagePage("That did not work", text), 400);
}

/** The fields of a form; undefined when it is too large to be one of ours. */
async function formOf(request: Request): Promise<URLSearchParams | undefined> {
  let text = "";
  for await (const chunk of request.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.length > MAX_FORM) return undefined;
  }
  return new URLSearchParams(text);
}
