import { app } from "./_elysia.ts";
import { announce, socketText } from "./_work.ts";

app.ws("/socket", {
  message(socket) {
    socket.send(socketText(socket.data.session));
  },
});
app.listen(0, ({ port }) => announce(port!));
