import { createFileRoute } from "@tanstack/react-router";
import { getForbidden } from "../failing.ts";

export const Route = createFileRoute("/forbidden")({
  loader: async () => void await getForbidden(),
  component: () => <p />,
});
