"use server";
import { forbidden, redirect } from "next/navigation";
import { session } from "../lib/session.ts";

export const add = session.action((session, form: FormData) => {
  const item = String(form.get("item"));
  session.update("items", (items = []) => [...items, item]);
  session.flash("info", `Added ${item}`);
  redirect("/");
});

export const fail = session.action((session) => {
  session.set("items", ["never saved"]);
  throw new Error("boom");
});

export const refuse = session.action((session) => {
  session.set("items", ["never saved"]);
  forbidden();
});

/** Stays on the page, which shows the changed session. */
export const rename = session.action((session, form: FormData) => {
  session.subject = String(form.get("name"));
  session.set("name", String(form.get("name")));
});
