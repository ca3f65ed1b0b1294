import { error } from "@sveltejs/kit";

export const actions = {
  fail: ({ locals: { session } }) => {
    session.set("items", ["never saved"]);
    throw new Error("boom");
  },
  refuse: ({ locals: { session } }) => {
    session.set("items", ["never saved"]);
    error(403, "Not you");
  },
};
