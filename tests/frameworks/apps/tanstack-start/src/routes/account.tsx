import { createFileRoute } from "@tanstack/react-router";
import { getAccount } from "../shop.ts";

export const Route = createFileRoute("/account")({
  loader: () => getAccount(),
  component: () => <h1>Account of {Route.useLoaderData().name}</h1>,
});
