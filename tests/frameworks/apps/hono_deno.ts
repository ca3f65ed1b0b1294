import { upgradeWebSocket } from "hono/deno";
import { app } from "./_hono.ts";
import { announce } from "./_work.ts";

app.get(
  "/socket",
  upgradeWebSocket((c) => {
    const session = c.get("session");
    return {
      onMessage(_event, socket) {
        socket.send(`Visits ${session.get("visits", 0)}`);
      },
    };
  }),
);
Deno.serve({ port: 0, onListen: ({ port }) => announce(port) }, app.fetch);
