import { createFileRoute } from "@tanstack/react-router";
import { getInterrupted } from "../shop.ts";

export const Route = createFileRoute("/interrupted")({
  loader: async () => void await getInterrupted(),
  component: () => <p />,
});
