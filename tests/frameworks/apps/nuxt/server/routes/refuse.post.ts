export default defineEventHandler((event) => {
  event.context.session.set("items", ["never saved"]);
  throw createError({ statusCode: 403 });
});
