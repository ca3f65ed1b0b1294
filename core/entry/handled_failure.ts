/** A failure of a handler that its framework has already answered. Adapters throw it. */
export class HandledFailure extends Error {
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
