import { app } from "../recipes/elysia_app.ts";
import { announce } from "./_work.ts";

app.listen(0, ({ port }) => announce(port!));
