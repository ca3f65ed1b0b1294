import { Suspense } from "react";
import { latePart } from "../../../_shop.ts";
import { session } from "../../lib/session.ts";

async function Late() {
  return <p>{await latePart()}</p>;
}

export default async function Stream() {
  return (
    <main>
      <p>{`Cart: ${(await session.read()).get("items", []).join(", ")}`}</p>
      <Suspense fallback={<p>Loading</p>}>
        <Late />
      </Suspense>
    </main>
  );
}
