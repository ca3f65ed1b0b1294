import { type Session, SessionMiddleware } from "@pagi/session";

type Shop = { visits: number };
type Admin = { level: number };

const secret = "replace this with: openssl rand -hex 32";
const sessions = new SessionMiddleware<Shop>({ secret });
const admins = new SessionMiddleware<Admin>({ secret, key: "admin" });

/** Responds in a framework that calls with a request. */
export async function serve(request: Request): Promise<Response> {
  const response = await sessions.run(request, (session) => respond(request, session));
  return response;
}

const handleAdmin = admins.handler((request, admin) =>
  sessions.run(request, (session) => respondToBoth(request, session, admin))
);

function respond(_request: Request, session: Session<Shop>): Response {
  return new Response(`Visits ${session.get("visits", 0)}`);
}

function respondToBoth(
  _request: Request,
  session: Session<Shop>,
  admin: Session<Admin>,
): Response {
  return new Response(`Visits ${session.get("visits", 0)}, level ${admin.get("level", 0)}`);
}

export { handleAdmin };
