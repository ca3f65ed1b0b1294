import { Await, createFileRoute } from "@tanstack/react-router";
import { Suspense } from "react";
import { getLate, getStream } from "../failing.ts";

export const Route = createFileRoute("/stream")({
  loader: async () => {
    await getStream();
    return { late: getLate() };
  },
  component: () => (
    <Suspense fallback={<p>The early part</p>}>
      <Await promise={Route.useLoaderData().late}>
        {(text) => <p>{text}</p>}
      </Await>
    </Suspense>
  ),
});
