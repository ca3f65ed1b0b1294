import { SessionMiddleware } from "@pagi/session";
import { DenoKvStore } from "@pagi/session/store/deno-kv";

export const sessions = new SessionMiddleware<{ name: string }>({
  secret: Deno.env.get("SESSION_SECRET")!,
  store: new DenoKvStore(await Deno.openKv()),
});
