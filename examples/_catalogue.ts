/** What the shop sells, and what a visitor's session holds. */

/** The data of a session. Every key is optional: a new session has none. */
export interface Visit {
  /** How often the page was opened. */
  visits?: number;
  /** The name the visitor signed in with. */
  user?: string;
  /** The browser that the visitor signed in with. */
  device?: string;
  /** How many of each tea, by its key. */
  cart?: Cart;
  /** What the next page says, once. */
  flash?: string;
}

/** How many of each tea, by its key. */
export type Cart = Record<string, number>;

/** Something to put into the cart. */
export interface Tea {
  name: string;
  note: string;
  /** For 100 grams. */
  cents: number;
  /** Of the tea in the cup. */
  colour: string;
}

/** The shop's whole stock. A Map, so that no key from a form finds anything else. */
export const TEAS: ReadonlyMap<string, Tea> = new Map([
  ["sencha", { name: "Sencha", note: "Steamed green, Japan", cents: 640, colour: "#a9bd4e" }],
  ["darjeeling", { name: "Darjeeling", note: "First flush, India", cents: 820, colour: "#dba24a" }],
  ["assam", { name: "Assam", note: "Malty and strong, India", cents: 560, colour: "#a9552b" }],
  ["rooibos", {
    name: "Rooibos",
    note: "Mild, no caffeine",
    cents: 480,
    colour: "#b8402a",
  }],
]);

const MAX_OF_ONE = 99;

/** The cart with `by` more of one tea. A new object: a change that may have to be made again. */
export function withMore(cart: Cart = {}, key: string, by: number): Cart {
  const count = Math.min(MAX_OF_ONE, (cart[key] ?? 0) + by);
  const { [key]: _, ...others } = cart;
  return count > 0 ? { ...others, [key]: count } : others;
}

/** An amount as people write it. */
export function euros(cents: number): string {
  return `€${(cents / 100).toFixed(2)}`;
}
