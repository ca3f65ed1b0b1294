import { isObject } from "../../base/check_options.ts";

/** Marks the class in every copy of this package: a bundler may put the adapter into another one. */
const BRAND = Symbol.for("@pagi/session/handled-failure");

/** A failure of a handler that its framework has already answered. Adapters throw it. */
export class HandledFailure extends Error {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isObject(value) && BRAND in value;
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }
  /** The error that the handler threw. */
  readonly error: unknown;
  /** The response that the framework has made of it. */
  readonly response: Response;

  constructor(error: unknown, response: Response) {
    super("The framework has answered an error of its handler");
    this.error = error;
    this.response = response;
  }
}

const ANSWER = Symbol.for("@pagi/session/answer");

/** Notes that the response was made of a session's error, and returns it. */
export function noteAnswer(response: Response): Response {
  if (Object.isExtensible(response)) Object.defineProperty(response, ANSWER, { value: true });
  return response;
}

/** Whether the response was made of a session's error, so that it must have no headers of the app. */
export function isAnswer(response: Response): boolean {
  return ANSWER in response;
}
