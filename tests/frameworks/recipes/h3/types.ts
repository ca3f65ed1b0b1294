declare module "h3" {
  interface H3EventContext {
    session: import("@pagi/session").Session<{ name: string }>;
  }
}
export {};
