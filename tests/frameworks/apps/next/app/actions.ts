"use server";
import { redirect } from "next/navigation";
import { session } from "../lib/session";

export const login = session.action((session, form: FormData) => {
  const name = String(form.get("name"));
  // Check the password here. A new subject also changes the session's ID.
  session.subject = name;
  session.set("name", name);
  session.flash("info", "Welcome back");
  redirect("/");
});

export const logout = session.action((session) => {
  session.destroy();
  redirect("/");
});
