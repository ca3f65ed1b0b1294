export default defineEventHandler(async (event) => {
  const item = String((await readFormData(event)).get("item"));
  const { session } = event.context;
  session.update("items", (items = []) => [...items, item]);
  session.flash("info", `Added ${item}`);
  return sendRedirect(event, "/", 303);
});
