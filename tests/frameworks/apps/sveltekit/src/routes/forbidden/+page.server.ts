import { error } from "@sveltejs/kit";

export const load = ({ locals: { session } }) => {
  session.set("items", ["never saved"]);
  error(403, "Not you");
};
