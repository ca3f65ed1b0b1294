import { Form, redirect, useLoaderData } from "react-router";
import { session } from "../session.server";
import type { Route } from "./+types/home";

export function loader({ context }: Route.LoaderArgs) {
  const current = context.get(session);
  return {
    name: current.get("name", undefined),
    items: current.get("items", []),
    messages: current.takeFlash("info"),
  };
}

export async function action({ request, context }: Route.ActionArgs) {
  const item = String((await request.formData()).get("item"));
  const current = context.get(session);
  current.update("items", (items = []) => [...items, item]);
  current.flash("info", `Added ${item}`);
  return redirect("/");
}

export default function Home() {
  const { name, items, messages } = useLoaderData<typeof loader>();
  return (
    <main>
      {messages.map((message) => <p key={message}>{message}</p>)}
      {name === undefined
        ? (
          <Form id="login" method="post" action="/login">
            <label>
              Your name <input name="name" required />
            </label>
            <button>Sign in</button>
          </Form>
        )
        : (
          <Form id="logout" method="post" action="/logout">
            <h1>Hello, {name}</h1>
            <button>Sign out</button>
          </Form>
        )}
      <Form id="add" method="post" action="/?index">
        <input name="item" />
        <button>Add</button>
      </Form>
      <p>Cart: {items.join(", ")}</p>
    </main>
  );
}
