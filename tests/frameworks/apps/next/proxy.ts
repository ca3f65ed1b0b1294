import { type NextRequest, NextResponse } from "next/server";
import { session } from "./lib/session";

export const proxy = session.proxy((request: NextRequest, session) => {
  const headers = new Headers(request.headers);
  headers.delete("x-messages");
  if (request.method === "GET") {
    // A header can only have the letters of Latin-1.
    headers.set("x-messages", encodeURIComponent(JSON.stringify(session.takeFlash("info"))));
  }
  return NextResponse.next({ request: { headers } });
});

export const config = {
  matcher: [{
    source: "/((?!_next/|favicon.ico).*)",
    // A prefetched page may never be shown, so it must not take the messages.
    missing: [{ type: "header", key: "next-router-prefetch" }],
  }],
};
