export const load = ({ locals: { session } }) => {
  session.set("items", ["never saved"]);
  throw new Error("boom");
};
