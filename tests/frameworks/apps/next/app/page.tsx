import { headers } from "next/headers";
import { session } from "../lib/session";
import { login, logout } from "./actions";

export default async function Home() {
  const name = (await session.read()).get("name", undefined);
  const taken = (await headers()).get("x-messages") ?? "[]";
  const messages: string[] = JSON.parse(decodeURIComponent(taken));
  return (
    <main>
      {messages.map((message) => <p key={message}>{message}</p>)}
      {name === undefined
        ? (
          <form id="login" action={login}>
            <input name="name" /> <button>Sign in</button>
          </form>
        )
        : (
          <form id="logout" action={logout}>
            <p>{`Hello, ${name}`}</p>
            <button>Sign out</button>
          </form>
        )}
    </main>
  );
}
