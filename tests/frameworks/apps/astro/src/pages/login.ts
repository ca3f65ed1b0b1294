import type { APIRoute } from "astro";

export const POST: APIRoute = async (
  { request, locals: { session }, redirect },
) => {
  const name = String((await request.formData()).get("name"));
  // Check the password here. A new subject gives the session a new ID.
  session.subject = name;
  session.set("name", name);
  session.flash("info", "Welcome back");
  return redirect("/", 303);
};
