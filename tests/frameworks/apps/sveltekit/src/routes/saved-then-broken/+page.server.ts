export const load = async ({ locals: { session } }) => {
  session.set("items", ["saved"]);
  await session.save();
  throw new Error("boom");
};
