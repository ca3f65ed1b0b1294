import { ActionError, defineAction } from "astro:actions";

export const fail = defineAction({
  accept: "form",
  handler: (_form, { locals: { session } }) => {
    session.set("items", ["never saved"]);
    throw new Error("boom");
  },
});

export const refuse = defineAction({
  accept: "form",
  handler: (_form, { locals: { session } }) => {
    session.set("items", ["never saved"]);
    throw new ActionError({ code: "FORBIDDEN" });
  },
});
