import { ActionError, defineAction } from "astro:actions";

export const server = {
  add: defineAction({
    accept: "form",
    handler: (form, { locals: { session } }) => {
      const item = String(form.get("item"));
      session.update("items", (items = []) => [...items, item]);
      session.flash("info", `Added ${item}`);
    },
  }),
  fail: defineAction({
    accept: "form",
    handler: (_form, { locals: { session } }) => {
      session.set("items", ["never saved"]);
      throw new Error("boom");
    },
  }),
  refuse: defineAction({
    accept: "form",
    handler: (_form, { locals: { session } }) => {
      session.set("items", ["never saved"]);
      throw new ActionError({ code: "FORBIDDEN" });
    },
  }),
};
