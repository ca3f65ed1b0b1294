/** The live panel: server-sent events about a session that is only read. */
import type { Session, SessionMiddleware } from "../mod.ts";
import type { Visit } from "./_catalogue.ts";
import { panelParts } from "./_panel.ts";
import { Trail } from "./_trail.ts";

/** Calls `wake` after a while; what it returns calls that off. */
export type Tick = (wake: () => void) => () => void;

/** What the stream is made of. */
export interface LiveOptions {
  sessions: SessionMiddleware<Visit>;
  trail: Trail;
  now: () => number;
  tick: Tick;
}

/** Once a second. */
export const everySecond: Tick = (wake) => {
  const timer = setTimeout(wake, 1000);
  return () => clearTimeout(timer);
};

const encoder = new TextEncoder();

/**
 * Tells a browser how its session stands, again and again, until it goes or the session ends.
 * `load` neither keeps the session alive nor can write to it.
 */
export async function live(request: Request, options: LiveOptions): Promise<Response> {
  const { sessions, trail, now, tick } = options;
  let session = await sessions.load(request);
  // The status that tells an EventSource not to come back.
  if (session === undefined) return new Response(null, { status: 204 });

  let isFirst = true;
  let callOff = () => {};
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!isFirst) {
        await new Promise<void>((wake) => callOff = tick(wake));
        session = await sessions.load(request);
      }
      isFirst = false;
      controller.enqueue(encoder.encode(eventOf(session, trail, now())));
      if (session === undefined) controller.close();
    },
    cancel() {
      callOff();
    },
  }, { highWaterMark: 0 });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
  });
}

function eventOf(session: Session<Visit> | undefined, trail: Trail, now: number): string {
  if (session === undefined) return "event: ended\ndata: {}\n\n";
  const parts = Object.entries(panelParts(session, trail.of(Trail.keyOf(session)), now));
  const texts = Object.fromEntries(parts.map(([id, { text }]) => [id, text]));
  // JSON has no line breaks, which would end the event's data.
  return `event: session\ndata: ${JSON.stringify(texts)}\n\n`;
}
