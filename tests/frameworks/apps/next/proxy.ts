import { type NextRequest, NextResponse } from "next/server";
import { session } from "./lib/session.ts";

export const proxy = session.proxy((request: NextRequest, session) => {
  const headers = new Headers(request.headers);
  headers.delete("x-messages");
  // A prefetched page may never be shown.
  if (request.method === "GET" && !headers.has("next-router-prefetch")) {
    headers.set("x-messages", JSON.stringify(session.takeFlash("info")));
  }
  return NextResponse.next({ request: { headers } });
});

export const config = { matcher: "/((?!_next/|favicon.ico).*)" };
