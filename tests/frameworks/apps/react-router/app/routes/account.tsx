import { redirect, useLoaderData } from "react-router";
import { session } from "../session.server";
import type { Route } from "./+types/account";

export function loader({ context }: Route.LoaderArgs) {
  const current = context.get(session);
  if (current.subject === undefined) throw redirect("/");
  return { name: current.get("name") };
}

export default function Account() {
  const { name } = useLoaderData<typeof loader>();
  return <h1>Account of {name}</h1>;
}
