import { createFileRoute } from "@tanstack/react-router";
import { work } from "../../work.ts";

export const Route = createFileRoute("/work/$")({
  server: { handlers: { ANY: work } },
});
