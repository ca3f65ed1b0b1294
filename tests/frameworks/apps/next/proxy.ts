import { type NextRequest, NextResponse } from "next/server";
import { session } from "./lib/session.ts";

export const proxy = session.proxy((request: NextRequest, session) => {
  const headers = new Headers(request.headers);
  headers.delete("x-flash");
  const isPrefetch = headers.has("next-router-prefetch");
  if (request.method === "GET" && !isPrefetch) {
    headers.set("x-flash", JSON.stringify(session.takeFlash("info")));
    if (request.nextUrl.pathname === "/stream") session.set("items", ["streamed"]);
  }
  return NextResponse.next({ request: { headers } });
});

export const config = { matcher: "/((?!_next/).*)" };
