import { app } from "./_elysia.ts";
import { announce, eventOf } from "./_work.ts";

app.ws("/socket", {
  message(socket) {
    const { session } = socket.data;
    socket.send(eventOf(session).slice("data: ".length).trim());
  },
});
app.listen(0, ({ port }) => announce(port!));
