import { useEndedSession } from "../../../../_shop.ts";

export const load = useEndedSession;
