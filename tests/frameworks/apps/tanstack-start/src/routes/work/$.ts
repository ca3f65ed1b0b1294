import { createFileRoute, redirect } from "@tanstack/react-router";
import { bodyOf, toResponse } from "../../../../_fetch.ts";
import { answer } from "../../../../_work.ts";

export const Route = createFileRoute("/work/$")({
  server: {
    handlers: {
      ANY: async ({ request, context: { session } }) => {
        const reply = await answer({
          url: request.url.replace("/work", ""),
          session: session as never,
          body: bodyOf(request),
          refuse: (status) => Object.assign(new Error("refused"), { status }),
        });
        if (reply === undefined) return new Response("Not found", { status: 404 });
        if (reply.kind !== "redirect") return toResponse(reply);
        throw redirect({ href: reply.text, statusCode: reply.status });
      },
    },
  },
});
