export default defineEventHandler(async (event) => {
  const { session } = event.context;
  const name = String((await readFormData(event)).get("name"));
  session.subject = name;
  session.set("name", name);
  session.flash("info", "Welcome back");
  return sendRedirect(event, "/", 303);
});
