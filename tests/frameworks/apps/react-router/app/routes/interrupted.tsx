import { useEndedSession } from "../../../_shop.ts";

export const loader = useEndedSession;

export default function Interrupted() {
  return <p />;
}
