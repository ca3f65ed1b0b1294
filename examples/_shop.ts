/** The shop's routes. Each handler gets the request and its session, whatever the store is. */
import type { SessionMiddleware } from "../mod.ts";
import { type ShopData, TEAS, withMore } from "./_catalog.ts";
import { deviceOf, devicesPage } from "./_devices.ts";
import { messagePage, page } from "./_layout.ts";
import { shopPage } from "./_page.ts";
import { DemoError, RequestLog, type Respond } from "./_request_log.ts";

/** The longest form that the shop accepts, in characters. */
const MAX_FORM = 2000;
const MAX_NAME = 40;

/** The values that the handlers need besides a request and its session. */
export interface ShopOptions {
  sessions: SessionMiddleware<ShopData>;
  log: RequestLog;
  now: () => number;
  /** Whether the store can list a user's sessions. */
  canList: boolean;
}

/** Returns the handlers by their routes. Each shows one use of `Session`. */
export function shop({ sessions, log, now, canList }: ShopOptions): Map<string, Respond> {
  const home: Respond = (request, session) => {
    // The redirect after a form does not count as a visit.
    if (!session.exists("flash")) session.update("visits", (visits = 0) => visits + 1);
    return look(request, session);
  };

  const look: Respond = (_request, session) => {
    const flash = session.get("flash", undefined);
    if (flash !== undefined) session.delete("flash");
    return page(() =>
      shopPage({ session, entries: log.of(RequestLog.keyOf(session)), now: now(), flash })
    );
  };

  const signedOut: Respond = (request, session) => {
    const was = new URL(request.url).searchParams.get("was") ?? "";
    return page(() =>
      messagePage(
        "You are signed out",
        "The session and its cookie were deleted. The old ID no longer works.",
        [...log.of(RequestLog.keyOf(session)), ...log.of(was)],
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
    // This ends only the user's own sessions: another user's hash has no effect.
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
  if (name === undefined || name === "") return refusal("Please enter a name.");
  // The owner of the session. The page "Where you are signed in" lists sessions by this value. Set it
  // first: it also works if another request has just replaced the session's ID.
  session.subject = name.toLowerCase();
  // Regenerate the ID at every sign-in, even if the owner stays the same: an ID planted beforehand
  // (session fixation) is then useless.
  session.regenerate({ authenticated: true }).set({
    user: name,
    device: deviceOf(request.headers.get("user-agent")),
    flash: `Welcome, ${name}. Your session has a new ID.`,
  });
  return seeOther("/");
};

const signOut: Respond = (_request, session) => {
  session.destroy();
  return seeOther(`/signed-out?was=${RequestLog.keyOf(session)}`);
};

const changeCart: Respond = async (request, session) => {
  const form = await formOf(request);
  const [added, taken] = [form?.get("add"), form?.get("take")];
  const key = added ?? taken ?? "";
  const tea = TEAS.get(key);
  if (tea === undefined) return refusal("There is no such tea.");
  // A function, not a value: if another tab changes the cart first, it is called with that cart.
  session.update("cart", (cart) => withMore(cart, key, added ? 1 : -1));
  session.set("flash", added ? `${tea.name} is in your cart.` : `One ${tea.name} was removed.`);
  return seeOther("/");
};

const newId: Respond = (_request, session) => {
  session.regenerate().set("flash", "Your session has a new ID.");
  return seeOther("/");
};

const fail: Respond = (_request, session) => {
  session.set("user", "somebody else").delete("cart");
  throw new DemoError("The handler failed after it changed the session");
};

/** Redirects with GET after a form, so that a reload does not send the form again. */
function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { location } });
}

function refusal(text: string): Response {
  return page(() => messagePage("That did not work", text), 400);
}

/** Reads the fields of a form. Returns undefined if the form is too long. */
async function formOf(request: Request): Promise<URLSearchParams | undefined> {
  let text = "";
  for await (const chunk of request.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.length > MAX_FORM) return undefined;
  }
  return new URLSearchParams(text);
}
