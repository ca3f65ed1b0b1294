/** The live panel: server-sent events that show the session without writing to it. */
import type { Session, SessionMiddleware } from "../mod.ts";
import type { ShopData } from "./_catalog.ts";
import { panelParts } from "./_panel.ts";
import { RequestLog } from "./_request_log.ts";

/** Calls `wake` after some time. Returns a function that cancels the call. */
export type Tick = (wake: () => void) => () => void;

/** Options of {@linkcode live}. */
export interface LiveOptions {
  sessions: SessionMiddleware<ShopData>;
  log: RequestLog;
  now: () => number;
  tick: Tick;
}

/** Wakes after one second. */
export const everySecond: Tick = (wake) => {
  const timer = setTimeout(wake, 1000);
  return () => clearTimeout(timer);
};

const encoder = new TextEncoder();

/**
 * Streams the state of a session to its browser until the browser disconnects or the session ends.
 * `load` neither extends the session nor lets anyone write to it.
 */
export async function live(request: Request, options: LiveOptions): Promise<Response> {
  const { sessions, log, now, tick } = options;
  let session = await sessions.load(request);
  // Status 204 tells an EventSource not to reconnect.
  if (session === undefined) return new Response(null, { status: 204 });

  let isFirst = true;
  let cancelTick = () => {};
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!isFirst) {
        await new Promise<void>((wake) => cancelTick = tick(wake));
        session = await sessions.load(request);
      }
      isFirst = false;
      controller.enqueue(encoder.encode(eventOf(session, log, now())));
      if (session === undefined) controller.close();
    },
    cancel() {
      cancelTick();
    },
  }, { highWaterMark: 0 });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
  });
}

function eventOf(session: Session<ShopData> | undefined, log: RequestLog, now: number): string {
  if (session === undefined) return "event: ended\ndata: {}\n\n";
  const parts = Object.entries(panelParts(session, log.of(RequestLog.keyOf(session)), now));
  const texts = Object.fromEntries(parts.map(([id, { text }]) => [id, text]));
  // JSON has no line breaks, which would end the event's data.
  return `event: session\ndata: ${JSON.stringify(texts)}\n\n`;
}
