import { headers } from "next/headers";
import { session } from "../lib/session.ts";
import { add, fail, login, logout, refuse, rename } from "./actions.ts";

export default async function Home() {
  const current = await session.read();
  const name = current.get("name", undefined);
  const messages: string[] = JSON.parse((await headers()).get("x-flash") ?? "[]");
  return (
    <main>
      {messages.map((message) => <p key={message}>{message}</p>)}
      <h1>{name === undefined ? "Sign in" : `Hello, ${name}`}</h1>
      <p>{`Cart: ${current.get("items", []).join(", ")}`}</p>
      <form id="login" action={login}>
        <input name="name" />
        <button>Sign in</button>
      </form>
      <form id="logout" action={logout}>
        <button>Sign out</button>
      </form>
      <form id="add" action={add}>
        <input name="item" />
        <button>Add</button>
      </form>
      <form id="fail" action={fail}>
        <button>Fail</button>
      </form>
      <form id="refuse" action={refuse}>
        <button>Refuse</button>
      </form>
      <form id="rename" action={rename}>
        <input name="name" />
        <button>Rename</button>
      </form>
    </main>
  );
}
