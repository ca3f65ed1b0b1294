import { latePart } from "../../../_shop.ts";
import { session } from "../../lib/session.ts";

export const GET = session.route((_request, session) => {
  session.set("items", ["streamed"]);
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(encoder.encode("<p>The first part</p>"));
      controller.enqueue(encoder.encode(`<p>${await latePart()}</p>`));
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/html" } });
});
