/** The methods by which a store's kind is recognized. */

/** The methods of a plain store, as PAGI has them. */
export const PLAIN_METHODS = ["get", "set", "delete"] as const;
/** The methods of a versioned store, which can compare and swap. */
export const VERSIONED_METHODS = ["read", "create", "replace", "touch", "delete"] as const;
/** The methods of a versioned store that a `CookieStore` calls for its `revocations`. */
export const REVOCATION_METHODS = ["read", "create", "replace"] as const;
/** The methods of a cookie-backed store, whose values are the sessions themselves. */
export const SEALING_METHODS = ["open", "seal"] as const;
