import { define } from "../utils.ts";

export const handler = define.handlers({
  async POST({ req, state: { session }, redirect }) {
    const name = String((await req.formData()).get("name"));
    // Check the password here. A new subject gives the session a new ID.
    session.subject = name;
    session.set("name", name);
    return redirect("/", 303);
  },
});
