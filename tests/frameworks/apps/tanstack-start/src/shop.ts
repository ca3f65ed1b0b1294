import { redirect } from "@tanstack/react-router";
import { createServerFn } from "@tanstack/react-start";

export const getHome = createServerFn().handler(({ context: { session } }) => ({
  name: session.get("name", undefined),
  items: session.get("items", []),
  messages: session.takeFlash("info"),
}));

export const getAccount = createServerFn().handler(
  ({ context: { session } }) => {
    if (session.subject === undefined) throw redirect({ to: "/" });
    return { name: session.get("name") };
  },
);

const formData = (data: unknown) => {
  if (data instanceof FormData) return data;
  throw new Error("Expected a form");
};

export const login = createServerFn({ method: "POST" })
  .validator(formData)
  .handler(({ data, context: { session } }) => {
    const name = String(data.get("name"));
    // Check the password here. A new subject gives the session a new ID.
    session.subject = name;
    session.set("name", name);
    session.flash("info", "Welcome back");
    throw redirect({ to: "/", statusCode: 303 });
  });

export const logout = createServerFn({ method: "POST" }).handler(
  ({ context: { session } }) => {
    session.destroy();
    throw redirect({ to: "/", statusCode: 303 });
  },
);

export const add = createServerFn({ method: "POST" })
  .validator(formData)
  .handler(({ data, context: { session } }) => {
    const item = String(data.get("item"));
    session.update("items", (items = []) => [...items, item]);
    session.flash("info", `Added ${item}`);
    throw redirect({ to: "/", statusCode: 303 });
  });
