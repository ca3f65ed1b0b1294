import { defineAction } from "astro:actions";

const add = defineAction({
  accept: "form",
  handler: (form, { locals: { session } }) => {
    const item = String(form.get("item"));
    session.update("items", (items = []) => [...items, item]);
    session.flash("info", `Added ${item}`);
  },
});

export const server = { add };
