import { createFileRoute } from "@tanstack/react-router";
import { getInterrupted } from "../failing.ts";

export const Route = createFileRoute("/interrupted")({
  loader: async () => void await getInterrupted(),
  component: () => <p />,
});
