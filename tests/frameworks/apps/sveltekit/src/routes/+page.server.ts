import { redirect } from "@sveltejs/kit";

export const load = ({ locals: { session } }) => ({
  name: session.get("name", undefined),
  items: session.get("items", []),
  messages: session.takeFlash("info"),
});

export const actions = {
  add: async ({ request, locals: { session } }) => {
    const item = String((await request.formData()).get("item"));
    session.update("items", (items = []) => [...items, item]);
    session.flash("info", `Added ${item}`);
    redirect(303, "/");
  },
};
