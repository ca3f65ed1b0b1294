export default defineEventHandler(async (event) => {
  const { session } = event.context;
  const name = String((await readFormData(event)).get("name"));
  // Check the password here. A new subject also changes the session's ID.
  session.subject = name;
  session.set("name", name);
  session.flash("info", "Welcome back");
  return sendRedirect(event, "/", 303);
});
