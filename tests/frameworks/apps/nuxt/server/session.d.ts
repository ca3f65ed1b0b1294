import type { Session } from "@pagi/session";
import type { Data } from "../../_shop.ts";

declare module "h3" {
  interface H3EventContext {
    session: Session<Data>;
  }
}
