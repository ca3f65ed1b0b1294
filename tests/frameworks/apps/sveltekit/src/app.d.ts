import type { Session } from "@pagi/session";
import type { Data } from "./sessions.ts";

declare global {
  namespace App {
    interface Locals {
      session: Session<Data>;
    }
  }
}
