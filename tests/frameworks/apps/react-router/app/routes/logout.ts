import { redirect } from "react-router";
import { session } from "../session.server";
import type { Route } from "./+types/logout";

export const loader = () => redirect("/");

export function action({ context }: Route.ActionArgs) {
  context.get(session).destroy();
  return redirect("/");
}
