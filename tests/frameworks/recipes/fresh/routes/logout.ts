import { define } from "../utils.ts";

export const handler = define.handlers({
  POST({ state: { session }, redirect }) {
    session.destroy();
    return redirect("/", 303);
  },
});
