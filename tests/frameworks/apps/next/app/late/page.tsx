import { Suspense } from "react";
import { latePart } from "../../../_shop.ts";
import { session } from "../../lib/session.ts";

async function Late() {
  return <p>{`${await latePart()} for ${(await session.read()).get("name", "nobody")}`}</p>;
}

export default function Page() {
  return (
    <Suspense fallback={<p>Loading</p>}>
      <Late />
    </Suspense>
  );
}
