import { createFileRoute } from "@tanstack/react-router";
import { requests } from "../../../start.ts";
import { admins, work } from "../../../work.ts";

export const Route = createFileRoute("/work/inner/$")({
  server: { middleware: [requests, admins], handlers: { ANY: work } },
});
