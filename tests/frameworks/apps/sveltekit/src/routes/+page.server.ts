import { error, redirect } from "@sveltejs/kit";

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
  fail: ({ locals: { session } }) => {
    session.set("items", ["never saved"]);
    throw new Error("boom");
  },
  refuse: ({ locals: { session } }) => {
    session.set("items", ["never saved"]);
    error(403, "Not you");
  },
};
