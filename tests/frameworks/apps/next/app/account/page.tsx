import { redirect } from "next/navigation";
import { session } from "../../lib/session";

export default async function Account() {
  const current = await session.read();
  if (current.subject === undefined) redirect("/");
  return <h1>{`Account of ${current.get("name")}`}</h1>;
}
