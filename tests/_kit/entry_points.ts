/** The four ways in which an id travels, each as a client sees it. */
import {
  BearerState,
  CallbackState,
  CookieState,
  HeaderState,
  type SessionState,
} from "@pagi/session";
import { headerValue } from "../../state/_headers.ts";
import { cookieOf } from "./helpers.ts";

/** One State, and a client of it. */
export interface Way {
  name: string;
  state: SessionState;
  /** The request's headers with which a client presents an id. */
  present(id: string): Record<string, string>;
  /** What a response tells the client to present from now on; undefined when it tells nothing. */
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
