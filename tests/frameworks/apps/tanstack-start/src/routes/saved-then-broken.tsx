import { createFileRoute } from "@tanstack/react-router";
import { getSavedThenBroken } from "../failing.ts";

export const Route = createFileRoute("/saved-then-broken")({
  loader: async () => void await getSavedThenBroken(),
  component: () => <p />,
});
