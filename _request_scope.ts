import type { Scope } from "./pagi.ts";

/**
 * A fetch request as a PAGI scope, so that one State serves both doors. What a State does not ask
 * for is never worked out.
 */
export class RequestScope implements Scope {
  [key: string]: unknown;
  readonly type = "http";
  readonly request: Request;

  constructor(request: Request) {
    this.request = request;
  }

  get method(): string {
    return this.request.method;
  }

  get headers(): [name: string, value: string][] {
    return [...this.request.headers];
  }

  get path(): string {
    const { pathname } = new URL(this.request.url);
    try {
      return decodeURIComponent(pathname);
    } catch {
      return pathname;
    }
  }

  get query_string(): string {
    return new URL(this.request.url).search.slice(1);
  }
}
