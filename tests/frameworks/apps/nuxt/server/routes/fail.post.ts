export default defineEventHandler((event) => {
  event.context.session.set("items", ["never saved"]);
  throw new Error("boom");
});
