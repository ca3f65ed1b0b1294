declare namespace App {
  interface Locals {
    session: import("@pagi/session").Session<import("./sessions.ts").Data>;
  }
}
