/** The four ways an ID travels between client and server. */
import {
  BearerState,
  CallbackState,
  CookieState,
  HeaderState,
  type SessionState,
} from "@pagi/session";
import { headerValue } from "../../state/_headers.ts";
import { cookieOf } from "./helpers.ts";

/** A State, and how a client uses it. */
export interface Way {
  name: string;
  state: SessionState;
  /** Returns the request headers that send an ID. */
  present(id: string): Record<string, string>;
  /** Returns the ID that a response sends to the client, or `undefined`. */
  told(response: Response): string | undefined;
}

const EMIT = "X-Session";
const emitted = (response: Response) => response.headers.get(EMIT) ?? undefined;

export const WAYS: readonly Way[] = [
  {
    name: "CookieState",
    state: new CookieState(),
    present: (id) => ({ cookie: `pagi_session=${id}` }),
    told(response) {
      const [cookie] = response.headers.getSetCookie();
      return cookie && cookieOf(cookie).slice("pagi_session=".length);
    },
  },
  {
    name: "HeaderState",
    state: new HeaderState({ headerName: EMIT, emit: EMIT }),
    present: (id) => ({ [EMIT]: id }),
    told: emitted,
  },
  {
    name: "BearerState",
    state: new BearerState({ emit: EMIT }),
    present: (id) => ({ authorization: `Bearer ${id}` }),
    told: emitted,
  },
  {
    name: "CallbackState",
    state: new CallbackState({
      extract: (scope) => headerValue(scope, "x-callback"),
      inject: (headers, id) => void headers.push([EMIT, id]),
      vary: ["X-Callback"],
    }),
    present: (id) => ({ "x-callback": id }),
    told: emitted,
  },
];
