import type { ReactNode } from "react";
import { session } from "../lib/session.ts";
import { add, fail, refuse, rename } from "./shop_actions.ts";

export default async function Layout({ children }: { children: ReactNode }) {
  const items = (await session.read()).get("items", []);
  return (
    <html lang="en">
      <body>
        {children}
        <p>{`Cart: ${items.join(", ")}`}</p>
        <form id="add" action={add}>
          <input name="item" />
        </form>
        <form id="fail" action={fail} />
        <form id="refuse" action={refuse} />
        <form id="rename" action={rename}>
          <input name="name" />
        </form>
      </body>
    </html>
  );
}
