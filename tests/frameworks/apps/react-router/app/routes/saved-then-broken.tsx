import { session } from "../session.server";
import type { Route } from "./+types/saved-then-broken";

export async function loader({ context }: Route.LoaderArgs) {
  const current = context.get(session).set("items", ["saved"]);
  await current.save();
  throw new Error("boom");
}

export default function Broken() {
  return <p />;
}
