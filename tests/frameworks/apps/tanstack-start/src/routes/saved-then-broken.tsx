import { createFileRoute } from "@tanstack/react-router";
import { getSavedThenBroken } from "../shop.ts";

export const Route = createFileRoute("/saved-then-broken")({
  loader: async () => void await getSavedThenBroken(),
  component: () => <p />,
});
