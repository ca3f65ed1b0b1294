import { RedisStore, SessionMiddleware } from "@pagi/session";
import { lambdaSession } from "@pagi/session/lambda";
import { Redis } from "@upstash/redis";
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import process from "node:process";

interface Data {
  name: string;
}

const redis = new Redis({
  url: process.env.UPSTASH_REDIS_REST_URL!,
  token: process.env.UPSTASH_REDIS_REST_TOKEN!,
});
const sessions = new SessionMiddleware<Data>({
  secret: process.env.SESSION_SECRET!,
  store: new RedisStore(redis),
});
const withSession = lambdaSession(sessions);

export const handler = withSession((event: APIGatewayProxyEventV2, session) => {
  const { method, path } = event.requestContext.http;
  if (method === "POST" && path === "/login") {
    const name = formOf(event).get("name") ?? "";
    // Check the password here. A new subject gives the session a new ID.
    session.subject = name;
    session.set("name", name);
    return seeOther("/");
  }
  if (method === "POST" && path === "/logout") {
    session.destroy();
    return seeOther("/");
  }
  const name = session.get("name", undefined);
  return page(name === undefined ? LOGIN : `<h1>Hello, ${escape(name)}</h1>${LOGOUT}`);
});

const LOGIN =
  '<form method="post" action="/login"><input name="name"><button>Sign in</button></form>';
const LOGOUT = '<form method="post" action="/logout"><button>Sign out</button></form>';

function formOf({ body = "", isBase64Encoded }: APIGatewayProxyEventV2): URLSearchParams {
  return new URLSearchParams(isBase64Encoded ? atob(body) : body);
}

function page(html: string): APIGatewayProxyStructuredResultV2 {
  return { statusCode: 200, headers: { "content-type": "text/html; charset=utf-8" }, body: html };
}

function seeOther(location: string): APIGatewayProxyStructuredResultV2 {
  return { statusCode: 303, headers: { location }, body: "" };
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
