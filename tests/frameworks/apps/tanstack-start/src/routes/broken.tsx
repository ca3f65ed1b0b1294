import { createFileRoute } from "@tanstack/react-router";
import { getBroken } from "../failing.ts";

export const Route = createFileRoute("/broken")({
  loader: async () => void await getBroken(),
  component: () => <p />,
});
