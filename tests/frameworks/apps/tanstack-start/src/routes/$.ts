import { createFileRoute, redirect } from "@tanstack/react-router";
import { bodyOf, toResponse } from "../../../_fetch.ts";
import { answer } from "../../../_work.ts";

/** The pages of the suite. */
export const Route = createFileRoute("/$")({
  server: {
    handlers: {
      ANY: async ({ request, context }: { request: Request; context: { session: unknown } }) => {
        const reply = await answer({
          url: request.url,
          session: context.session as never,
          body: bodyOf(request),
          refuse: (status) => Object.assign(new Error("refused"), { status }),
        });
        if (reply === undefined) return new Response("Not found", { status: 404 });
        if (reply.kind === "redirect") {
          throw redirect({ href: reply.text, statusCode: reply.status });
        }
        return toResponse(reply);
      },
    },
  },
});
