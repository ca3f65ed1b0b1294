import { latePart } from "../../../_shop.ts";

export default defineEventHandler((event) => {
  event.context.session.set("items", ["streamed"]);
  setHeader(event, "content-type", "text/html");
  const encoder = new TextEncoder();
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(encoder.encode("<p>The first part</p>"));
      controller.enqueue(encoder.encode(`<p>${await latePart()}</p>`));
      controller.close();
    },
  });
});
