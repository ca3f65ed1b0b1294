import { session } from "../session.server";
import type { Route } from "./+types/broken";

export function loader({ context }: Route.LoaderArgs) {
  context.get(session).set("items", ["never saved"]);
  throw new Error("boom");
}

export default function Broken() {
  return <p />;
}
