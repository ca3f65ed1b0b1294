import { Suspense } from "react";
import { Await, useLoaderData } from "react-router";
import { latePart } from "../../../_shop.ts";
import { session } from "../session.server";
import type { Route } from "./+types/stream";

export function loader({ context }: Route.LoaderArgs) {
  context.get(session).set("items", ["streamed"]);
  return { late: latePart() };
}

export default function Stream() {
  const { late } = useLoaderData<typeof loader>();
  return (
    <Suspense fallback={<p>The early part</p>}>
      <Await resolve={late}>{(text) => <p>{text}</p>}</Await>
    </Suspense>
  );
}
