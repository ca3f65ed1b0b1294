import { Form } from "react-router";
import { session } from "../session.server";
import type { Route } from "./+types/failing";

export function action({ context }: Route.ActionArgs) {
  context.get(session).set("items", ["never saved"]);
  throw new Error("boom");
}

export default function Failing() {
  return (
    <Form id="fail" method="post">
      <button>Fail</button>
    </Form>
  );
}
