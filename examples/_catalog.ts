/** The shop's teas, and the data of a visitor's session. */

/** The data of a session. Every key is optional, because a new session is empty. */
export interface ShopData {
  /** How often the visitor has opened the page. */
  visits?: number;
  /** The name the visitor signed in with. */
  user?: string;
  /** The browser that the visitor signed in with. */
  device?: string;
  /** The number of each tea, by its key. */
  cart?: Cart;
  /** A message for the next page, shown once. */
  flash?: string;
}

/** The number of each tea, by its key. */
export type Cart = Record<string, number>;

/** A tea for sale. */
export interface Tea {
  name: string;
  note: string;
  /** The price of 100 grams. */
  cents: number;
  /** The color of the tea in the cup. */
  color: string;
}

/**
 * The shop's teas. In a Map, unlike in an object, a key from a form cannot find inherited members.
 */
export const TEAS: ReadonlyMap<string, Tea> = new Map([
  ["sencha", { name: "Sencha", note: "Steamed green, Japan", cents: 640, color: "#a9bd4e" }],
  ["darjeeling", { name: "Darjeeling", note: "First flush, India", cents: 820, color: "#dba24a" }],
  ["assam", { name: "Assam", note: "Malty and strong, India", cents: 560, color: "#a9552b" }],
  ["rooibos", {
    name: "Rooibos",
    note: "Mild, no caffeine",
    cents: 480,
    color: "#b8402a",
  }],
]);

const MAX_COUNT = 99;

/**
 * Returns a new cart with `by` more of one tea. It does not change the given cart, because
 * `session.update` may call it again with newer data.
 */
export function withMore(cart: Cart = {}, key: string, by: number): Cart {
  const count = Math.min(MAX_COUNT, (cart[key] ?? 0) + by);
  const { [key]: _, ...others } = cart;
  return count > 0 ? { ...others, [key]: count } : others;
}

/** Formats an amount. */
export function euros(cents: number): string {
  return `€${(cents / 100).toFixed(2)}`;
}
