import { redirect } from "@sveltejs/kit";

export const load = () => redirect(303, "/");

export const actions = {
  default: async ({ request, locals: { session } }) => {
    const name = String((await request.formData()).get("name"));
    // Check the password here. A new subject gives the session a new ID.
    session.subject = name;
    session.set("name", name);
    session.flash("info", "Welcome back");
    redirect(303, "/");
  },
};
