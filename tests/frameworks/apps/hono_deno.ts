import { upgradeWebSocket } from "hono/deno";
import { app } from "./_hono.ts";
import { announce, socketText } from "./_work.ts";

app.get(
  "/socket",
  upgradeWebSocket((c) => {
    const session = c.get("session");
    return {
      onMessage(_event, socket) {
        socket.send(socketText(session));
      },
    };
  }),
);
Deno.serve({ port: 0, onListen: ({ port }) => announce(port) }, app.fetch);
