import { data } from "react-router";
import { session } from "../session.server";
import type { Route } from "./+types/forbidden";

export function loader({ context }: Route.LoaderArgs) {
  context.get(session).set("items", ["never saved"]);
  throw data("Not you", { status: 403 });
}

export default function Forbidden() {
  return <p />;
}
