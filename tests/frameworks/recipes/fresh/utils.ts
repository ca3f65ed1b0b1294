import type { Session } from "@pagi/session";
import { createDefine } from "fresh";

export interface State {
  session: Session<{ name: string }>;
}

export const define = createDefine<State>();
