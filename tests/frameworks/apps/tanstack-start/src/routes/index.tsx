import { createFileRoute } from "@tanstack/react-router";
import { add, getHome, login, logout } from "../shop.ts";

export const Route = createFileRoute("/")({
  loader: () => getHome(),
  component: Home,
});

function Home() {
  const { name, items, messages } = Route.useLoaderData();
  return (
    <main>
      {messages.map((message) => <p key={message}>{message}</p>)}
      {name === undefined
        ? (
          <form id="login" method="post" action={login.url}>
            <label>
              Your name <input name="name" required />
            </label>
            <button>Sign in</button>
          </form>
        )
        : (
          <form id="logout" method="post" action={logout.url}>
            <h1>Hello, {name}</h1>
            <button>Sign out</button>
          </form>
        )}
      <form id="add" method="post" action={add.url}>
        <input name="item" />
        <button>Add</button>
      </form>
      <p>Cart: {items.join(", ")}</p>
    </main>
  );
}
