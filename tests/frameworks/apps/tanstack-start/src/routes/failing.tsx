import { createFileRoute } from "@tanstack/react-router";
import { fail, refuse } from "../failing.ts";

export const Route = createFileRoute("/failing")({
  component: () => (
    <main>
      <form id="fail" method="post" action={fail.url}>
        <button>Fail</button>
      </form>
      <form id="refuse" method="post" action={refuse.url}>
        <button>Refuse</button>
      </form>
    </main>
  ),
});
